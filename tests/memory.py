"""A folder in the machine's memory, for files that a test run makes by the thousand."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.locks import FileLock

MEMORY = Path("/dev/shm")
LEAST_BYTES = 2**30  # a test process uses some 50 MB; a container often has 64 MB in all
NAME = "search-tests-"


@contextmanager
def memory_folder() -> Iterator[Path | None]:
    """Make a folder in memory and remove it at the end; None where there is too little memory."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < LEAST_BYTES:
        yield None
        return
    _remove_left_ones()
    made = Path(tempfile.mkdtemp(prefix="search-", dir=MEMORY))
    with FileLock(made / "lock") as lock:
        lock.try_exclusive()
        folder = made.rename(MEMORY / f"{NAME}{made.name}")  # not before the lock is held
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _remove_left_ones() -> None:
    """Remove the folders of test runs that were killed: nobody holds their locks."""
    for folder in MEMORY.glob(f"{NAME}*"):
        with suppress(OSError), FileLock(folder / "lock") as lock:  # another user's is left alone
            if lock.try_exclusive():
                shutil.rmtree(folder)
