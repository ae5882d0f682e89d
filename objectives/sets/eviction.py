"""Make room on the disk for decoded images by removing arrays that no process uses."""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from objectives.files.lock import try_lock
from objectives.files.whole import PARTIAL

log = logging.getLogger(__name__)

MOST_OF_DISK = 0.5  # of the space that the cache has or could take; the rest is for checkpoints
_NOTE_KEYS = {"stamp", "rows_crc32"}
_UNFINISHED = re.compile(rf"(?P<key>.+)\.(npy|json)\.[0-9a-f]+{re.escape(PARTIAL)}")


def make_room(folder: Path, needed: int) -> None:
    """Remove the arrays used longest ago until the cache and `needed` bytes are half of its space.

    The cache's space is its own bytes and the free ones of its disk. Only arrays with a note of
    ours are removed, and none that a process has open or is building, so a cache in use may stay
    larger. The partial files of killed builders are removed in any case.
    """
    _remove_unfinished(folder)
    arrays = _longest_unused_first(folder)
    total = sum(size for _, size in arrays)
    most = MOST_OF_DISK * (total + shutil.disk_usage(folder).free)
    for array, size in arrays:
        if total + needed <= most:
            return
        if _remove(array):
            total -= size
            log.info(
                "%s: removed %.1f GB of decoded images, those used longest ago",
                array,
                size / 1e9,
                extra={"action": "cache_evicted", "bytes": size},
            )


def read_note(path: Path) -> dict[str, Any] | None:
    """Read the note which says that an array is whole; None if we wrote none."""
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and note.keys() == _NOTE_KEYS else None


def lock_path(folder: Path, key: str) -> Path:
    """Return the file that an array's builder locks; it is never removed, or two could build."""
    return folder / f"{key}.lock"


def _longest_unused_first(folder: Path) -> list[tuple[Path, int]]:
    """List the arrays with a note of ours, each with its bytes."""
    used = []
    for array in folder.glob("*.npy"):
        note = array.with_suffix(".json")
        with suppress(OSError):  # another process removes it at the same time
            if read_note(note) is not None:
                used.append((note.stat().st_mtime, array, array.stat().st_size))
    return [(array, size) for _, array, size in sorted(used)]


def _remove(array: Path) -> bool:
    """Remove an array and its note unless a process uses it; return whether it is gone."""
    with suppress(OSError), _locked(lock_path(array.parent, array.stem)) as is_ours:
        if not is_ours:
            return False
        with array.open("r+b") as file:
            if try_lock(file):  # a process that has it mapped shares the lock
                array.unlink()
                array.with_suffix(".json").unlink(missing_ok=True)
                return True
    return False


def _remove_unfinished(folder: Path) -> None:
    for partial in folder.glob(f"*{PARTIAL}"):
        if name := _UNFINISHED.fullmatch(partial.name):
            lock = lock_path(folder, name["key"])
            with suppress(OSError), _locked(lock) as is_ours:
                if is_ours:
                    partial.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    with path.open("a") as file:
        yield try_lock(file)
