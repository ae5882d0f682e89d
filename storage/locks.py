"""File locks that end with their holder, however it ends."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self


# storage does not import objectives, whose `try_lock` is the other lock of the house. This one is
# a handle that child processes inherit.
class FileLock:
    """An open lock file; closing it, or any death of its holders, frees the lock.

    A child that inherits `handle` holds the lock too, until the last of them is gone.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, made if need be, without taking the lock."""
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock for ourselves alone; False when anybody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others; False when somebody holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go."""
        os.close(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def wait_until(is_so: Callable[[], bool], patience_seconds: float) -> bool:
    """Ask every 20 ms until the answer is yes; False when patience ends first."""
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
