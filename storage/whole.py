"""Files that are written whole or not at all: under a partial name first, then renamed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


# objectives/files/whole.py does the same for checkpoints and results, which it also flushes to
# disk; storage and objectives do not import each other.
@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to, which takes the name `path` if the block raises no error.

    One process at a time may write the same path. A killed process leaves the partial file behind.
    """
    partial = partial_of(path)
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def partial_of(path: Path) -> Path:
    """Return the name of a file while it is written."""
    return path.with_name(f"{path.name}.partial")
