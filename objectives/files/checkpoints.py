"""Checkpoint files that are whole or absent, named by their epoch and digest."""

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from objectives.files.disk import when_there_is_room
from objectives.files.whole import flush, write_beside

_NAME = re.compile(r"epoch-(\d+)-([0-9a-f]{16})\.ckpt")
_KEPT = 2  # so that a damaged newest file costs one epoch, not the trial


def commit(
    folder: Path,
    epoch: int,
    save: Callable[[Path], None],
    progress: Callable[[], None] = lambda: None,
) -> Path:
    """Save the checkpoint of one epoch for good, and remove all but the newest two.

    Returns its path, `epoch-0007-<digest>.ckpt`.

    save: writes the file at the path that it is given.
    progress: called repeatedly while the disk is full.
    """
    name = f"epoch-{epoch:04d}"
    partial = when_there_is_room(lambda: write_beside(folder / name, save), folder, progress)
    path = partial.replace(folder / f"{name}-{_digest(partial)}.ckpt")
    flush(folder)  # before the older ones go: a power cut must not take both
    for _, old in _newest_first([folder])[_KEPT:]:
        old.unlink()
    return path


def newest_good(folders: Iterable[Path]) -> Path | None:
    """Find the checkpoint of the latest epoch whose content still has its digest, or None.

    folders: one per attempt; a missing folder counts as empty.
    """
    for digest, path in _newest_first(folders):
        if _digest(path) == digest:
            return path
    return None


def newest(folders: Iterable[Path]) -> Path | None:
    """Find the checkpoint of the latest epoch without reading it, or None."""
    return next((path for _, path in _newest_first(folders)), None)


def epoch_of(name: str) -> int:
    """Read the epoch out of the name of a checkpoint file; 0 for the name of another file."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else 0


def _newest_first(folders: Iterable[Path]) -> list[tuple[str, Path]]:
    found = [
        (int(match[1]), match[2], path)
        for folder in folders
        for path in folder.glob("*.ckpt")
        if (match := _NAME.fullmatch(path.name))
    ]
    return [(digest, path) for _, digest, path in sorted(found, key=lambda each: -each[0])]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
