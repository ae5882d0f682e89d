"""Checkpoint files that are whole or not there: written beside, flushed, named by their digest."""

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from objectives.files.disk import when_there_is_room
from objectives.files.whole import flush, write_beside

_NAME = re.compile(r"epoch-(\d+)-([0-9a-f]{16})\.ckpt")
_KEPT = 2  # The one before survives, so that a torn newest file costs one epoch, not the trial.


def commit(
    folder: Path,
    epoch: int,
    save: Callable[[Path], None],
    progress: Callable[[], None] = lambda: None,
) -> Path:
    """Put one epoch's checkpoint into place at once and for good; older ones than two go.

    save: writes the file at the path it is given. progress: called while the disk is full.
    Returns the path, `epoch-0007-<digest>.ckpt`.
    """
    name = f"epoch-{epoch:04d}"
    partial = when_there_is_room(lambda: write_beside(folder / name, save), folder, progress)
    path = partial.replace(folder / f"{name}-{_digest(partial)}.ckpt")
    flush(folder)  # before the older ones go: a power cut must not take both
    for _, old in _newest_first([folder])[_KEPT:]:
        old.unlink()
    return path


def newest_good(folders: Iterable[Path]) -> Path | None:
    """Give the checkpoint of the latest epoch that is still what was written, or None.

    folders: one per attempt; a folder that is missing counts as empty.
    """
    for digest, path in _newest_first(folders):
        if _digest(path) == digest:
            return path
    return None


def newest(folders: Iterable[Path]) -> Path | None:
    """Give the checkpoint of the latest epoch, unread."""
    return next((path for _, path in _newest_first(folders)), None)


def epoch_of(name: str) -> int:
    """Give the epoch of a checkpoint by its file's name, 0 for another file's."""
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
