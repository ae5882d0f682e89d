"""Decoded images on disk: one array per key, built once by one worker and mapped by all."""

import errno
import json
import mmap
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.files.disk import when_there_is_room
from objectives.files.lock import try_lock
from objectives.files.whole import flush, partials_of, write_text_whole, write_whole
from objectives.sets.eviction import lock_path, make_room, read_note

Array = npt.NDArray[np.uint8]
POLL_SECONDS = 0.2  # how often a worker that waits for the builder looks again
CHECKED_ROWS = 64  # spread over the file; reading all of 11 GB would cost a worker's start
_TRIES = 3  # a folder that is deleted in each of three tries is deleted on purpose


@dataclass(frozen=True, kw_only=True)
class CachedArray:
    """An array in the cache folder, identified by its name, stamp and shape."""

    folder: Path
    key: str  # of its files' names
    stamp: str  # of the sources it is made from; a file with another stamp is built again
    shape: tuple[int, ...]  # of uint8

    def open(self, fill: Callable[[Array], None], progress: Callable[[], None]) -> Array:
        """Open the array as a memory map of its file. If it is missing or stale, build it.

        A builder that is killed at any instant leaves no file that is taken for whole. A builder
        whose folder is deleted meanwhile begins anew. Raises OSError where the disk does not keep
        the array.

        fill: writes every row of the array that it is given.
        progress: called while another process builds it, and while the disk is full.
        """
        for _ in range(_TRIES - 1):
            with suppress(FileNotFoundError):
                return self._read_or_build(fill, progress)
        return self._read_or_build(fill, progress)

    def read(self) -> Array | None:
        """Map the file if its note, size and a spread of its rows say that it is whole, else None.

        No process removes the file for as long as the array, or a view of it, exists.
        """
        note = read_note(self._note)
        array = None if note is None else self._map()
        if array is None or note != _note_of(self.stamp, array):
            return None
        with suppress(OSError):  # in a read-only folder the time of use is not kept
            os.utime(self._note)
        return array

    @property
    def _array(self) -> Path:
        return self.folder / f"{self.key}.npy"

    @property
    def _note(self) -> Path:
        return self.folder / f"{self.key}.json"

    def _read_or_build(self, fill: Callable[[Array], None], progress: Callable[[], None]) -> Array:
        self.folder.mkdir(parents=True, exist_ok=True)
        array = self.read()
        if array is None:
            with _only_builder(lock_path(self.folder, self.key), progress):
                # Another worker may have built it meanwhile.
                array = self.read()
                if array is None:
                    when_there_is_room(lambda: self._build(fill), self.folder, progress)
                    array = self.read()
        if array is None:
            problem = "written but not read back the same; check this disk"
            raise OSError(errno.EIO, problem, str(self.folder))
        return array

    def _build(self, fill: Callable[[Array], None]) -> None:
        """Write the array, and last its note, which says that the array is whole."""
        for left_over in (*partials_of(self._array), *partials_of(self._note)):
            left_over.unlink()  # of killed builders: the lock is ours
        make_room(self.folder, prod(self.shape))
        notes = []

        def save(partial: Path) -> None:
            array = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=self.shape)
            _reserve(partial)
            fill(array)
            array.flush()
            notes.append(_note_of(self.stamp, array))

        write_whole(self._array, save)
        flush(self.folder)  # a power cut must not leave the note without the array
        write_text_whole(self._note, json.dumps(notes[0]))
        flush(self.folder)

    def _map(self) -> Array | None:
        with suppress(OSError, ValueError), self._array.open("rb") as file:
            # The map keeps the lock. A file system without locks is no reason to decode again.
            with suppress(OSError):
                if not try_lock(file, shared=True):
                    return None  # being removed
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if shape == self.shape and dtype == np.uint8:
                # "c": torch wants a writable array; its writes would stay in this process.
                return np.memmap(file, dtype, mode="c", offset=file.tell(), shape=shape)
        return None


def let_go(array: Array) -> None:
    """Release the part of a mapped file that this process has read; the system's cache keeps it.

    Otherwise a process would seem to hold the whole file after one pass over it: every row that is
    read brings in up to 2 MB around it.
    """
    if isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)


def _note_of(stamp: str, array: Array) -> dict[str, Any]:
    rows = np.linspace(0, len(array) - 1, min(CHECKED_ROWS, len(array))).astype(int)
    checksums = []
    for row in rows:
        checksums.append(zlib.crc32(array[row].tobytes()))
        let_go(array)
    return {"stamp": stamp, "rows_crc32": checksums}


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
def _only_builder(lock: Path, progress: Callable[[], None]) -> Iterator[None]:
    """Hold the builder's lock on this machine; the system frees it however the process ends."""
    with lock.open("a") as file:
        while not try_lock(file):
            progress()
            time.sleep(POLL_SECONDS)
        yield
