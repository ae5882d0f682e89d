"""One pass over the image files: their digests, and the facts that the checks use."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from objectives.contract import DataError
from objectives.data.layouts.layout import Layout
from objectives.data.pixels.facts import Facts
from objectives.data.scan.seen import FileState, Seen, keep_seen, read_seen

HANDFUL = 8  # files a thread takes at a time: one task for each of 56,000 would take 80 MB


def digests(
    layout: Layout,
    files: Sequence[FileState],
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    look: bool = False,
) -> Mapping[str, str]:
    """Compute the SHA-1 of each image's bytes, by path; "" for an image that cannot be read.

    cache: the machine's folder where the results are kept by path, size and times.
    progress: called for each image that is read.
    look: whether to examine each image in the same pass, as `scan` does.
    """
    seen = _see_all(layout, files, cache, progress, look=look)
    return {path: each.sha1 for path, each in seen}


def scan(
    layout: Layout,
    files: Sequence[FileState],
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Mapping[str, Facts]:
    """Examine each image and return its facts by path; no pixels are kept.

    cache, progress: as for `digests`.
    """
    seen = _see_all(layout, files, cache, progress, look=True)
    return {path: each.facts or Facts() for path, each in seen}


def _see_all(
    layout: Layout,
    files: Sequence[FileState],
    cache: Path | None,
    progress: Callable[[], None],
    *,
    look: bool,
) -> Iterator[tuple[str, Seen]]:
    """Return the facts of each image, read now or in an earlier pass."""
    known = read_seen(cache, layout)
    unknown = [file for file in files if not _is_known(known.get(file.path), file, look)]
    try:
        for path, seen in _in_threads(layout, unknown, look):
            known[path] = seen
            progress()
    finally:  # also of a pass that was interrupted
        if unknown:
            keep_seen(cache, layout, {path: each for path, each in known.items() if _is_sure(each)})
    return ((file.path, known[file.path]) for file in files)


def _is_known(seen: Seen | None, file: FileState, look: bool) -> bool:
    return seen is not None and seen.is_of(file) and not (look and seen.facts is None)


def _is_sure(seen: Seen) -> bool:
    """Whether the facts may be kept: an unreadable file may lie on a disk that comes back."""
    return bool(seen.sha1) and not (seen.facts and seen.facts.error)


def _in_threads(
    layout: Layout, files: Sequence[FileState], look: bool
) -> Iterator[tuple[str, Seen]]:
    """Read all images with all cores, in order; stop reading when the caller stops asking."""
    # Pillow, zlib and hashlib release the interpreter's lock, so that threads are as fast as
    # processes and need neither imports nor pickles.

    def see(file: FileState) -> tuple[str, Seen]:
        return file.path, _see(layout, file, look)

    handfuls = [files[at : at + HANDFUL] for at in range(0, len(files), HANDFUL)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, _without_warnings():
        try:
            for handful in pool.map(lambda handful: [see(file) for file in handful], handfuls):
                yield from handful
        finally:
            pool.shutdown(cancel_futures=True)


def _see(layout: Layout, file: FileState, look: bool) -> Seen:
    """Read one image, once."""
    try:
        files = layout.bytes_of(file.path)
    except (OSError, DataError) as error:
        reason = error.found if isinstance(error, DataError) else str(error)
        return Seen(file.bytes, file.times_ns, "", Facts(error=reason))
    digest = hashlib.sha1(usedforsecurity=False)
    for contents in files.values():
        digest.update(contents)
    facts = layout.look_at(files) if look else None
    return Seen(file.bytes, file.times_ns, digest.hexdigest(), facts)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence Pillow's warnings, of odd Exif for example: the rules report such images."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
