"""Files that are written whole or not at all: under a partial name first, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


# objectives/files/whole.py does the same for checkpoints and results, which it also flushes to
# disk; storage and objectives do not import each other.
@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to, which takes the name `path` if the block raises no error.

    A link stays, and the file that it names is written. One process at a time may write the same
    path. A killed process leaves the partial file behind.
    """
    target = Path(os.path.realpath(path))
    partial = partial_of(target)
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def partial_of(path: Path) -> Path:
    """Return the name of a file while it is written."""
    return path.with_name(f"{path.name}.partial")
