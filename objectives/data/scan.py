"""One pass over the images themselves: what two machines must share, and what can be wrong."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from objectives.contract import DataError, DataSource
from objectives.data.contents import reader
from objectives.data.layouts.listing import File


def digests(
    source: DataSource,
    files: Sequence[File],
    cache: Path | None = None,  # noqa: ARG001 - not yet
    progress: Callable[[], None] = lambda: None,
) -> Mapping[str, str]:
    """Give the SHA-1 of each image's bytes by its path; "" for one that cannot be read.

    cache: the machine's folder where what was found is kept by path, size and time. progress:
    called for each image.
    """
    read = reader(source)

    def digest(file: File) -> str:
        try:
            return hashlib.sha1(read(file.path), usedforsecurity=False).hexdigest()
        except (OSError, DataError):
            return ""
        finally:
            progress()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(digest, files)
        return dict(zip((file.path for file in files), found, strict=True))
