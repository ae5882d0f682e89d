"""Writing on a disk that may be full: waiting for room instead of losing what was trained."""

import errno
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)
RETRY_SECONDS = 2.0
REMINDER_SECONDS = 60.0

Answer = TypeVar("Answer")


def when_there_is_room(
    write: Callable[[], Answer], folder: Path, progress: Callable[[], None] = lambda: None
) -> Answer:
    """Give what `write` gives, tried again for as long as the disk of `folder` is full.

    write: leaves nothing half written behind when it raises. progress: called while waiting, so
    that the lease is kept; what it raises ends the wait.
    """
    remind_at = 0.0
    while True:
        try:
            return write()
        except OSError as error:
            if error.errno not in FULL:
                raise
            if time.monotonic() >= remind_at:
                remind_at = time.monotonic() + REMINDER_SECONDS
                log.warning(
                    "%s: no room on this disk (%s); waiting: free some and it goes on",
                    folder,
                    error.strerror,
                )
        _wait(progress)


def _wait(progress: Callable[[], None]) -> None:
    ends_at = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < ends_at:
        progress()
        time.sleep(0.1)
