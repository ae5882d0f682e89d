"""The output of a script: all of it is read, its first and last megabyte are kept."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

HEAD_BYTES = TAIL_BYTES = 1_000_000
RECENT_BYTES = 100_000  # of which an error shows the last lines
CHUNK_BYTES = 1 << 16


class Output:
    """The standard output and error of a script; a context manager that closes its end of it.

    log: the file that keeps it.
    writer: the script's end, closed by whoever starts the script.
    """

    def __init__(self, log: Path) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._log = _OutputLog(log)
        self._recent = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        os.close(self._reader)

    def fileno(self) -> int:
        """Return a file that is readable once there is output."""
        return self._reader

    @property
    def recent(self) -> str:
        """The last lines."""
        return self._recent.decode(errors="replace")

    def read(self) -> bytes | None:
        """Read some of what is there; None where nothing is, b"" once all of it has been read."""
        try:
            chunk = os.read(self._reader, CHUNK_BYTES)
        except BlockingIOError:
            return None
        with suppress(OSError):  # a disk that is full costs the log, not the trial
            self._log.write(chunk)
        self._recent = (self._recent + chunk)[-RECENT_BYTES:]
        return chunk


class _OutputLog:
    """A file that keeps the beginning and the end of what is written to it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._written = self._size = 0  # bytes; the size is the file's

    def write(self, chunk: bytes) -> None:
        """Append some bytes; what has become too much is cut out of the middle."""
        self._size += self._file.write(chunk)
        self._written += len(chunk)
        if self._size > HEAD_BYTES + 3 * TAIL_BYTES:
            self._cut()

    def close(self) -> None:
        """Cut the file to its beginning and end, and close it."""
        with self._file, suppress(OSError):
            if self._written > HEAD_BYTES + TAIL_BYTES:
                self._cut()

    def _cut(self) -> None:
        self._file.seek(-TAIL_BYTES, os.SEEK_END)
        tail = self._file.read(TAIL_BYTES)
        cut = self._written - HEAD_BYTES - TAIL_BYTES
        self._file.seek(HEAD_BYTES)
        note = f"\n[... {cut:,} bytes of output are cut out here ...]\n".encode()
        self._file.write(note + tail)
        self._size = self._file.tell()
        self._file.truncate()
