"""Log lines: their format, their destination, and passwords kept out of them."""

import atexit
import logging
import os
import re
import sys
import time
from pathlib import Path

STDERR = 2  # the file descriptor: libraries in C do not write to sys.stderr
PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]+@")


class PlainLine(logging.Formatter):
    """One readable line per record, in UTC, without passwords; a traceback follows below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(name)s: %(message)s", "%F %TZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as text."""
        return hide_passwords(super().format(record))


def set_up_logs(file: Path | None = None) -> None:
    """Send this process's log lines to `file`, or to stderr, and quiet the libraries.

    It imports optuna, which takes .3 s: call it only in commands that open the storage anyway.
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
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where each key came from
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # boto3 tries again what broke off
    optuna.logging.set_verbosity(logging.WARNING)
    optuna.logging.disable_default_handler()  # so that warnings appear once, in our format
    optuna.logging.enable_propagation()


def hush_teardown() -> None:
    """Discard everything written to stderr after this process's own exit.

    Triton's bindings, which torchvision loads, print 35 lines about leaked objects at exit. The
    supervisor shows a worker's last line as the reason of its end, and would show one of these.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), STDERR))


def hide_passwords(text: str) -> str:
    """Replace the password of every URL in a text by stars."""
    return PASSWORD.sub(r"\1:***@", text)
