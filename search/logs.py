"""Where log lines go, and what they never contain."""

import atexit
import logging
import os
import re
import sys
import time
from pathlib import Path

STDERR = 2  # the file descriptor: what is written in C knows nothing of sys.stderr
PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]+@")


class PlainLine(logging.Formatter):
    """One readable line per record, in UTC, without passwords; a traceback follows below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(name)s: %(message)s", "%F %TZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as text."""
        return hide_passwords(super().format(record))


def set_up_logs(file: Path | None = None) -> None:
    """Send this process's log lines to a file, or to stderr, and turn the libraries' noise down.

    It imports optuna, which costs .3 s: for the commands that open the storage anyway.
    """
    import optuna

    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file)
    handler.setFormatter(PlainLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    optuna.logging.set_verbosity(logging.WARNING)
    optuna.logging.disable_default_handler()  # one voice: its warnings come in our format
    optuna.logging.enable_propagation()


def hush_teardown() -> None:
    """Let nothing more be said on stderr once this process has done its work and said its own.

    Triton's bindings, which torchvision loads, end with 35 lines on what they leak: the last of
    them would pass for a worker's last words, which its supervisor shows to people.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), STDERR))


def hide_passwords(text: str) -> str:
    """Give the text with the password of every URL in it replaced by stars."""
    return PASSWORD.sub(r"\1:***@", text)
