"""Files that are written whole or not at all: under a partial name first, then renamed."""

import errno
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from glob import escape
from pathlib import Path

from objectives.files.disk import when_there_is_room

PARTIAL = ".partial"  # the end of the name of a file that is still being written
ABANDONED_SECONDS = 24 * 60 * 60.0  # a writer touches its file far more often than once a day


def write_whole(
    path: Path, save: Callable[[Path], object], progress: Callable[[], None] | None = None
) -> Path:
    """Write a file whole or not at all, over one of that name, and return its path.

    The content is on the disk before the file takes its name. A save that fails leaves nothing. A
    link stays, and the file that it names is written.

    save: writes the file at the path that it is given.
    progress: called repeatedly while the disk is full; with None a full disk raises OSError.
    """
    target = behind_links(path)
    if progress is None:
        write_beside(target, save).replace(target)
        return path
    partial = when_there_is_room(lambda: write_beside(target, save), target.parent, progress)
    partial.replace(target)
    return path


def behind_links(path: Path) -> Path:
    """Return the path that links lead to, there or not; OSError for links that go in a circle."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


def write_text_whole(path: Path, text: str) -> Path:
    """Write a text file in UTF-8 whole or not at all, over one of that name; return its path."""
    return write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_beside(path: Path, save: Callable[[Path], object]) -> Path:
    """Write a file under a partial name of its own in the folder of `path`; return that name.

    The content is on the disk when this returns. A save that fails leaves nothing.
    """
    _remove_abandoned(path)
    # Other processes may write the same file at the same time, each under a name of its own.
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        save(partial)
        flush(partial)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial


def flush(path: Path) -> None:
    """Flush a file's content, or the names in a folder, to disk, to survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def partials_of(path: Path) -> list[Path]:
    """Return the partial files beside `path`: being written, or left by killed processes."""
    return list(path.parent.glob(f"{escape(path.name)}.*{PARTIAL}"))


def _remove_abandoned(path: Path) -> None:
    for partial in partials_of(path):
        with suppress(FileNotFoundError):  # another process removes or renames it as well
            if time.time() - partial.lstat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()
