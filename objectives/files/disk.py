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
        except Exception as error:
            full = _full_disk(error)
            if full is None:
                raise
            if time.monotonic() >= remind_at:
                remind_at = time.monotonic() + REMINDER_SECONDS
                log.warning(
                    "%s: no room on this disk (%s); waiting: free some and it goes on",
                    folder,
                    full.strerror,
                )
        _wait(progress)


def _full_disk(error: BaseException | None) -> OSError | None:
    # torch closes its archive on the way out, fails at that too, and hides the disk's own error.
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
