"""Where log lines go, and what they never contain."""

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]+@")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class PlainLine(logging.Formatter):
    """One readable line per record, in UTC, without passwords; a traceback follows below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(name)s: %(message)s", "%F %TZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as text."""
        return hide_passwords(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object per record, its `extra` fields included, in UTC, without passwords."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line of JSON."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in STANDARD},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return hide_passwords(json.dumps(fields, default=str))


def set_up_logs(file: Path | None = None, as_json: bool = False) -> None:
    """Send this process's log lines to a file, or to stderr, and turn the libraries' noise down.

    It imports optuna, which costs .3 s: for the commands that open the storage anyway.
    """
    import optuna

    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file)
    handler.setFormatter(JsonLine() if as_json else PlainLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    optuna.logging.set_verbosity(logging.WARNING)
    optuna.logging.disable_default_handler()  # one voice: its warnings come in our format
    optuna.logging.enable_propagation()


def hide_passwords(text: str) -> str:
    """Give the text with the password of every URL in it replaced by stars."""
    return PASSWORD.sub(r"\1:***@", text)
