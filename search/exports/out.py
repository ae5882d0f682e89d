"""A text written to the place that a user names: a file, a link to one, a pipe or a terminal."""

import os
import shutil
import sys
from pathlib import Path

from objectives.files.whole import behind_links, write_whole
from search.errors import UsageError


def write_out(path: Path, text: str) -> bool:
    """Write a text to `path` and return whether its folder was made for it.

    A file is written whole or not at all. A link stays, and the file that it names is written. A
    pipe, a terminal or a device is written to and never replaced. Raises UsageError for a place
    that takes no text.
    """
    _refuse(path)
    makes_folder = not path.parent.exists()
    if makes_folder and not path.is_symlink():
        path.parent.mkdir(parents=True)
    try:
        _write(path, text)
    except BrokenPipeError as error:
        raise UsageError(f"{path}: its reader went away", "start the reader again") from error
    except OSError as error:  # of a full disk, which names no file
        raise UsageError(f"{path}: {error.strerror}", "choose another place") from error
    return makes_folder


def _refuse(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"name a file in it, such as {path / 'best.yaml'}")
    if path.is_block_device():
        raise UsageError(f"{path} is a disk", "name a file on it")
    if path.is_symlink() and not behind_links(path).parent.is_dir():
        raise UsageError(
            f"{path} is a link to {behind_links(path)}, whose folder is not there",
            "bring the folder back, or name another file",
        )
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"{path} may not be written to", "name another file, or make it writable")


def _write(path: Path, text: str) -> None:
    if _is_own_output(path):
        print(text, end="", flush=True)
    elif path.exists() and _stays_in_place(path):
        with path.open("w", encoding="utf-8") as file:
            file.write(text)
    else:
        write_whole(path, lambda partial: _save(partial, text, like=path))


def _is_own_output(path: Path) -> bool:
    """Say whether the path is this process's stdout, as /dev/stdout and /dev/fd/1 are."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # not there, or a stdout without a descriptor
        return False


def _stays_in_place(path: Path) -> bool:
    """Say whether another file in its place would not be the same: a device, a hard link."""
    file = behind_links(path)
    if not path.is_file() or not file.exists():  # /dev/fd/3 leads to a name that is no path
        return True
    found, folder = file.stat(), file.parent
    return (
        found.st_nlink > 1
        or found.st_uid != os.geteuid()  # a new file would be ours
        or found.st_dev != folder.stat().st_dev  # mounted at this very path
        or not os.access(folder, os.W_OK)
        or str(folder).startswith(("/dev", "/proc"))
    )


def _save(partial: Path, text: str, like: Path) -> None:
    partial.write_text(text, encoding="utf-8")
    if like.exists():
        shutil.copymode(like, partial)
