"""Decoded images on disk: one array per key, built once by one worker and mapped by all."""

import errno
import fcntl
import json
import mmap
import os
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.files.disk import when_there_is_room

Array = npt.NDArray[np.uint8]
POLL_SECONDS = 0.2  # how often a worker that waits for the builder looks again
CHECKED_ROWS = 64  # spread over the file; reading all of 11 GB would cost a worker's start
_TRIES = 3  # whoever deletes the folder that often means to stop us
_one_builder_here = threading.Lock()  # lockf knows processes only, not their threads


def cached_array(
    folder: Path,
    key: str,
    stamp: str,
    shape: tuple[int, ...],
    fill: Callable[[Array], None],
    progress: Callable[[], None],
) -> Array:
    """Give the array of this key as a memory map of its file, built with `fill` if need be.

    stamp: what the array was made from; a file with another stamp is built again. A builder killed
    at any instant leaves nothing that is taken for whole, and one whose folder is deleted meanwhile
    begins anew. progress: called while waiting.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileNotFoundError):
            return _found_or_built(folder, key, stamp, shape, fill, progress)
    return _found_or_built(folder, key, stamp, shape, fill, progress)


def read_array(folder: Path, key: str, stamp: str, shape: tuple[int, ...]) -> Array | None:
    """Map the file if its note, size and a spread of its rows say that it is whole, else None."""
    try:
        note = json.loads((folder / f"{key}.json").read_text())
        # "c": torch wants a writable array; what is written would stay in this process.
        array: Array = np.lib.format.open_memmap(folder / f"{key}.npy", mode="c")
    except (OSError, ValueError):
        return None
    if array.shape != shape or array.dtype != np.uint8:
        return None
    return array if note == _note(stamp, array) else None


def let_go(array: Array) -> None:
    """Take what was touched of a mapped file out of this process; the system's cache keeps it.

    Else a process would seem to hold the whole file after one pass over it: every row that is read
    brings in up to 2 MB around it.
    """
    if isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)


def _found_or_built(
    folder: Path,
    key: str,
    stamp: str,
    shape: tuple[int, ...],
    fill: Callable[[Array], None],
    progress: Callable[[], None],
) -> Array:
    folder.mkdir(parents=True, exist_ok=True)
    array = read_array(folder, key, stamp, shape)
    if array is None:
        with _building(folder / f"{key}.lock", progress):
            # Another worker may have built it meanwhile.
            array = read_array(folder, key, stamp, shape)
            if array is None:
                build = partial(_build, folder, key, stamp, shape, fill)
                when_there_is_room(build, folder, progress)
                array = read_array(folder, key, stamp, shape)
    if array is None:
        raise OSError(errno.EIO, "written but not read back the same; check this disk", str(folder))
    return array


def _note(stamp: str, array: Array) -> dict[str, Any]:
    rows = np.linspace(0, len(array) - 1, min(CHECKED_ROWS, len(array))).astype(int)
    checksums = []
    for row in rows:
        checksums.append(zlib.crc32(array[row].tobytes()))
        let_go(array)
    return {"stamp": stamp, "rows_crc32": checksums}


def _build(
    folder: Path, key: str, stamp: str, shape: tuple[int, ...], fill: Callable[[Array], None]
) -> None:
    """Write the array, then its note: the note last, since it vouches for the array."""
    for left_over in folder.glob(f"{key}.*.tmp"):  # of killed builders: the lock is ours
        left_over.unlink()
    with _replacing(folder, key, ".npy") as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        _reserve(temporary)
        fill(array)
        array.flush()
        note = _note(stamp, array)
        del array
    with _replacing(folder, key, ".json") as temporary:
        temporary.write_text(json.dumps(note))


def _reserve(path: Path) -> None:
    """Take the disk space now: a full disk under a memory map would kill the process."""
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            reason = f"{error.strerror}: {size / 1e9:.1f} GB needed for decoded images; make room"
            raise OSError(error.errno, reason, str(path.parent)) from error


@contextmanager
def _replacing(folder: Path, key: str, suffix: str) -> Iterator[Path]:
    """Give a temporary file of one's own that takes its place whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f"{key}.", suffix=".tmp", dir=folder)
    temporary = Path(name)
    try:
        yield temporary
        os.fsync(handle)
        temporary.replace(folder / f"{key}{suffix}")
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _building(lock: Path, progress: Callable[[], None]) -> Iterator[None]:
    """Be the only builder on this machine; the kernel frees the lock whatever kills us."""
    with _one_builder_here, lock.open("w") as file:
        while not _try_lock(file.fileno()):
            progress()
            time.sleep(POLL_SECONDS)
        yield


def _try_lock(handle: int) -> bool:
    with suppress(BlockingIOError, PermissionError):  # either may say "held by another process"
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
