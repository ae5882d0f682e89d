"""File locks that the system frees with their holders, however those end."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self


# objectives/files/lock.py locks files that are open already; storage and objectives do not import
# each other.
class FileLock:
    """An open lock file. Closing it, or the death of every holder, frees the lock.

    A child process that inherits `handle` holds the lock as well.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, made if it is not there, without taking the lock."""
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock alone; False when another process holds it in either way."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others; False when a process holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def close(self) -> None:
        """Free the lock, unless a child inherited it."""
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
    """Call `is_so` every 20 ms until it returns True; return False after `patience_seconds`."""
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
