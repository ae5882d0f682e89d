"""Locks on open files, which the system frees when their holder ends in any way."""

import fcntl
from typing import IO, Any


def try_lock(file: IO[Any], *, shared: bool = False) -> bool:
    """Lock an open file unless another holder prevents it; return whether it is locked now.

    The lock belongs to this opening of the file, not to the process: another thread that opens the
    file is kept out as well, and a memory map of the opening keeps the lock after `file` is closed.

    file: opened for writing where it is not `shared`, which network file systems ask for.
    shared: whether other holders may share the lock.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
