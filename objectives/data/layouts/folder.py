"""A data folder: its images, and all else that lies in it, by the reason why it is not read."""

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from stat import S_ISREG

from objectives.contract import DataError, DataSource
from objectives.data.layouts.links import check_link
from objectives.data.layouts.listing import File, times_of
from objectives.data.layouts.lost_images import not_looked_at
from objectives.data.layouts.other_files import (
    EMPTY,
    HIDDEN,
    HIDDEN_IMAGE,
    IMAGE_ENDS,
    ZEROS,
    as_text,
    ending_of,
    is_container,
    is_unread,
    passed_over,
)
from objectives.data.layouts.whole_slides import check_folder
from objectives.data.left_out import LeftOut
from objectives.data.pixels.formats import HEAD, RAW, SLIDES, format_of, other_dicom
from objectives.data.problems import Problem
from objectives.data.wording import counted_phrase

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
PRACTICE_NOTE = "practice.json"  # written last: a folder that has it is a whole practice set
LOCKED = "that may not be read"
SPECIAL = "pipes and devices"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything that lies in a data folder, by paths relative to it.

    images: sorted by path.
    folders: those that were entered, sorted.
    left_out: the files and folders that are no images or are not read, by reason.
    problems: of files and folders that may not be read (C05).
    """

    images: Sequence[File]
    folders: Sequence[str]
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]


@dataclass(kw_only=True)
class _Walk:
    """The contents of a folder while it is walked through."""

    images: list[File] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    others: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unread: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    locked: dict[str, OSError] = field(default_factory=dict)


def image_folder(source: DataSource) -> Path:
    """Return the folder of the data; DataError when there is none to read."""
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8":  # the same files would have other names, and be another manifest
        raise DataError(
            f"this process reads file names in {encoding}", fix="start Python with -X utf8"
        )
    if source.folder is None:
        raise DataError("this study needs a data folder", fix="name it with --data DIR")
    with readable(source.folder):
        is_folder = source.folder.is_dir()
    if not is_folder:
        raise DataError(f"{source.folder}: no such folder", fix="check the path given to --data")
    return source.folder


def read_folder(folder: Path, known: Collection[str] = ()) -> Contents:
    """Read everything that lies in a folder and in the folders within, without opening images.

    known: the paths of files that the layout reads itself, such as its tables.

    Raises DataError where there is no image, for whole slides, and for links and names that cannot
    be read.
    """
    contents = walk_through(folder, known)
    check_folder(
        folder, contents.images, (path for each in contents.left_out for path in each.paths)
    )
    if not contents.images:
        raise _no_image(folder, contents)
    return contents


def walk_through(folder: Path, known: Collection[str] = ()) -> Contents:
    """Read a folder as `read_folder` does, also one without images or of whole slides."""
    walk = _Walk()
    with readable(folder):
        _enter(folder, "", walk)
    for paths in chain(walk.others.values(), walk.unread.values()):
        paths[:] = [path for path in paths if path not in known and path != PRACTICE_NOTE]
    return Contents(
        images=sorted(walk.images),
        folders=sorted(walk.folders),
        left_out=tuple(_left_out(folder, walk)),
        problems=tuple(_may_not_be_read(walk)),
    )


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder, without hidden ones; DataError where it may not be read."""
    with readable(folder):
        return [
            path
            for path in sorted(folder.iterdir())
            if not passed_over(path.name, is_folder=True) and path.is_dir()
        ]


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise DataError where a folder or file may not be read."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: may not be read ({error.strerror}) (C05)",
            fix="ask its owner for the right to read it",
        ) from error


def _enter(folder: Path, inner: str, walk: _Walk) -> None:
    """Add the contents of a folder; OSError where it may not be read.

    inner: its path in the data folder, "" for that folder.
    """
    with os.scandir(folder / inner) as found:
        listed = sorted(found, key=lambda entry: entry.name)
    for entry in listed:
        path = f"{inner}/{entry.name}" if inner else entry.name
        try:
            _take(entry, path, folder, walk)
        except OSError as error:
            walk.locked[path] = error


def _take(entry: os.DirEntry[str], path: str, folder: Path, walk: _Walk) -> None:
    """Add a file, or a folder with its contents; OSError for one that may not be read."""
    is_link = entry.is_symlink()
    if reason := passed_over(entry.name, is_folder=not is_link and entry.is_dir()):
        is_hidden_image = reason == HIDDEN and _is_named_image(entry) and entry.is_file()
        walk.others[HIDDEN_IMAGE if is_hidden_image else reason].append(path)
        return
    if is_link:
        check_link(Path(entry.path))
    if entry.is_dir():
        walk.folders.append(path)
        _enter(folder, path, walk)
    else:
        _take_file(entry, path, walk)


def _take_file(entry: os.DirEntry[str], path: str, walk: _Walk) -> None:
    stat, is_image = entry.stat(), _is_named_image(entry)
    if not S_ISREG(stat.st_mode):  # reading a pipe would wait for ever
        if is_image:
            raise DataError(f"{entry.path}: a pipe or device, not an image", fix="remove it")
        walk.others[SPECIAL].append(path)
        return
    head = b"" if is_image else _head(entry)
    if is_image or format_of(head):
        _check_text(path, entry)
        walk.images.append(File(path, stat.st_size, times_of(stat)))
    elif (kind := other_dicom(head)) is not None:
        walk.others[f"DICOM files, each {kind}"].append(path)
    else:
        ending = ending_of(entry.name)
        is_unused = is_unread(ending) or is_container(ending)
        reason = "of a format that is not read" if is_unused else "other files"
        reason = f"{reason} ({ending or 'no ending'})"
        if not is_unused and not head.strip(b"\0"):
            reason = ZEROS if head else EMPTY
        (walk.unread if is_unused else walk.others)[reason].append(path)


def _is_named_image(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(IMAGE_ENDS)


def _head(entry: os.DirEntry[str]) -> bytes:
    """Read the first bytes of a file; none of those that only their ending tells from a TIFF."""
    if entry.name.lower().endswith((*SLIDES, *RAW)):
        return b""
    with Path(entry.path).open("rb", buffering=0) as file:
        return file.read(HEAD)


def _check_text(path: str, entry: os.DirEntry[str]) -> None:
    """Refuse a name that is not text: Python decodes other bytes as lone surrogates."""
    if not path.isascii() and any("\udc80" <= each <= "\udcff" for each in path):
        raise DataError(
            f"{entry.path}: a name that is not UTF-8, so that no table can hold it",
            fix="rename it, for example with convmv",
        )


def _left_out(folder: Path, walk: _Walk) -> Iterator[LeftOut]:
    """Build what is left out; of a file beside an image of the same name nothing is lost."""
    stems = {_stem(file.path) for file in walk.images} if walk.unread else set()
    for reason, paths in walk.unread.items():
        lone = tuple(path for path in paths if _stem(path) not in stems)
        beside = tuple(path for path in paths if _stem(path) in stems)
        if lone:
            is_slide = lone[0].lower().endswith(SLIDES)
            fix = "cut them into tiles" if is_slide else "convert them to PNG"
            is_meant = is_unread(ending_of(lone[0]))
            yield LeftOut(reason=reason, paths=as_text(lone), fix=fix, is_meant=is_meant)
        if beside:
            reason = f"{reason}, beside images of the same names"
            yield LeftOut(reason=reason, paths=as_text(beside))
    yield from not_looked_at(folder, walk.others, [file.path for file in walk.images])
    if walk.locked:
        yield LeftOut(reason=LOCKED, paths=as_text(walk.locked))


def _stem(path: str) -> str:
    ending = ending_of(path)
    return path[: -len(ending)] if ending else path


def _may_not_be_read(walk: _Walk) -> Iterator[Problem]:
    if walk.locked:
        path, error = next(iter(walk.locked.items()))
        noun = "file or folder" if len(walk.locked) == 1 else "files or folders"
        yield Problem(
            rule="C05",
            level="error",
            message=(
                f"{len(walk.locked)} {noun} may not be read, {path} for example "
                f"({error.strerror}); ask their owner for the right to read them, or move them out "
                "of the data folder"
            ),
            paths=as_text(walk.locked),
        )


def _no_image(folder: Path, contents: Contents) -> DataError:
    if contents.problems:
        (problem,) = contents.problems
        return DataError(f"{folder}: no image that may be read; {problem.message} (C05)")
    found = ", ".join(counted_phrase(len(each.paths), each.reason) for each in contents.left_out)
    fixes = [each.fix for each in contents.left_out if each.fix]
    if any(path.lower().endswith(ARCHIVES) for each in contents.left_out for path in each.paths):
        fixes.append("unpack the archive")
    return DataError(
        f"{folder}: no image in it ({', '.join(IMAGE_ENDS)})" + (f" but {found}" if found else ""),
        fix=fixes[0] if fixes else "check the path given to --data",
    )
