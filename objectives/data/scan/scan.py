"""One pass over the images themselves: what two machines must share, and what can be wrong."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from objectives.contract import DataError, DataSource
from objectives.data.contents import reader
from objectives.data.layouts.listing import File
from objectives.data.scan.facts import Facts, looker
from objectives.data.scan.seen import Seen, keep_seen, read_seen

HANDFUL = 8  # files a thread takes at a time: one task for each of 56,000 would take 80 MB


def digests(
    source: DataSource,
    files: Sequence[File],
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    look: bool = False,
) -> Mapping[str, str]:
    """Give the SHA-1 of each image's bytes by its path; "" for one that cannot be read.

    cache: the machine's folder where what was found is kept by path, size and time. progress:
    called for each image that is read. look: whether to find out at once what `scan` will ask for.
    """
    return {path: seen.sha1 for path, seen in _see(source, files, look, cache, progress)}


def scan(
    source: DataSource,
    files: Sequence[File],
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Mapping[str, Facts]:
    """Give the facts of each image by its path; pixels are let go of as soon as they are seen."""
    seen = _see(source, files, True, cache, progress)
    return {path: each.facts or Facts() for path, each in seen}


def _see(
    source: DataSource,
    files: Sequence[File],
    look: bool,
    cache: Path | None,
    progress: Callable[[], None],
) -> Iterator[tuple[str, Seen]]:
    """Give what is known of each image, having read those of which too little is."""
    known = read_seen(cache, source)
    unknown = [file for file in files if not _is_known(known.get(file.path), file, look)]
    try:
        for path, seen in _in_threads(source, unknown, look):
            known[path] = seen
            progress()
    finally:  # also of a pass that was interrupted
        if unknown:
            keep_seen(cache, source, {path: each for path, each in known.items() if _is_sure(each)})
    return ((file.path, known[file.path]) for file in files)


def _is_known(seen: Seen | None, file: File, look: bool) -> bool:
    return seen is not None and seen.is_of(file) and not (look and seen.facts is None)


def _is_sure(seen: Seen) -> bool:
    """Say whether it holds next time: what cannot be read today may lie on a disk that is away."""
    return bool(seen.sha1) and not (seen.facts and seen.facts.error)


def _in_threads(
    source: DataSource, files: Sequence[File], look: bool
) -> Iterator[tuple[str, Seen]]:
    """Look at all files with all cores, in order, and no further than is asked for."""
    # Pillow, zlib and hashlib work without the interpreter's lock, so that threads are as fast as
    # processes and need neither imports nor pickles.
    see = _seer(source, look)
    handfuls = [files[at : at + HANDFUL] for at in range(0, len(files), HANDFUL)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, _quiet():
        try:
            for handful in pool.map(lambda handful: [see(file) for file in handful], handfuls):
                yield from handful
        finally:
            pool.shutdown(cancel_futures=True)


def _seer(source: DataSource, look: bool) -> Callable[[File], tuple[str, Seen]]:
    """Give the function that reads one image, once, and says what it is."""
    read, look_at = reader(source), looker(source)

    def see(file: File) -> tuple[str, Seen]:
        try:
            contents = read(file.path)
        except (OSError, DataError) as error:
            seen = Seen(file.bytes, file.modified_ns, "", Facts(error=str(error)))
        else:
            sha1 = hashlib.sha1(contents, usedforsecurity=False).hexdigest()
            facts = look_at(file.path, contents) if look else None
            seen = Seen(file.bytes, file.modified_ns, sha1, facts)
        return file.path, seen

    return see


@contextmanager
def _quiet() -> Iterator[None]:
    """Let no library warn of what the rules will say in their own words (odd Exif, for example)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
