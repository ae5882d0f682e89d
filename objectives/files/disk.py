"""Write to a disk that may be full: wait for room, so that no training is lost."""

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
    """Call `write` until the disk of `folder` has room for it, and return its answer.

    write: leaves nothing half written behind when it raises.
    progress: called ten times a second while waiting, which keeps the lease; an exception that it
        raises ends the wait.
    """
    remind_at = 0.0
    while True:
        try:
            return write()
        except Exception as error:
            full = _full_disk(error)
            if full is None:
                raise
            if time.monotonic() >= remind_at:
                remind_at = time.monotonic() + REMINDER_SECONDS
                log.warning(
                    "%s: no room on this disk (%s); waiting; free some space to go on",
                    full.filename or folder,
                    full.strerror,
                )
        _wait(progress)


def _full_disk(error: BaseException | None) -> OSError | None:
    # torch then fails to close its archive as well, and that error hides the one of the disk.
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def _wait(progress: Callable[[], None]) -> None:
    ends_at = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < ends_at:
        progress()
        time.sleep(0.1)
