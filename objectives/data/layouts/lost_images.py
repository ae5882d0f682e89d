"""Files that are not looked at, and those among them in which an image may be lost."""

import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from objectives.data.layouts.other_files import (
    BACKUP,
    EMPTY,
    HIDDEN_IMAGE,
    IMAGE_ENDS,
    PLACEHOLDER,
    UNFINISHED,
    ZEROS,
    as_text,
    ending_of,
    without_backup_end,
)
from objectives.data.left_out import LeftOut

ZIP = "other files (.zip)"
FIXES = {
    UNFINISHED: "finish the downloads",
    PLACEHOLDER: "download them",
    HIDDEN_IMAGE: "give them names without the point before them",
    ZEROS: "copy them again",
    EMPTY: "copy them again",
    BACKUP: "give them their names back if they are the only copies",
    ZIP: "unpack them",
}
LOST = {
    ZEROS: f"{ZEROS} among images of this ending",
    EMPTY: f"{EMPTY} among images of this ending",
    BACKUP: "backup copies of images that are not here",
    ZIP: "archives with images that are not here",
}


def not_looked_at(
    folder: Path, others: Mapping[str, Sequence[str]], images: Sequence[str]
) -> Iterator[LeftOut]:
    """Build what is said of files that are not looked at, with a fix where an image may be lost.

    others: their paths, by the reason.
    images: the paths of the images.
    """
    plain: defaultdict[str, list[str]] = defaultdict(list)
    for reason, paths in others.items():
        lost = _lost(folder, reason, paths, images) if paths and reason in LOST else set()
        if lost:
            yield LeftOut(
                reason=LOST[reason],
                paths=as_text(sorted(lost)),
                fix=FIXES[reason],
                is_meant=reason == ZEROS,
                wholes=as_text(sorted(lost)) if reason == ZIP else (),
            )
        for path in paths:
            if path not in lost:
                plain[_other(path) if reason in (ZEROS, EMPTY) else reason].append(path)
    for reason, paths in plain.items():
        fix = "" if reason in LOST else FIXES.get(reason, "")
        yield LeftOut(reason=reason, paths=as_text(paths), fix=fix, is_meant=reason == PLACEHOLDER)


def _other(path: str) -> str:
    return f"other files ({ending_of(path) or 'no ending'})"


def _lost(folder: Path, reason: str, paths: Sequence[str], images: Sequence[str]) -> set[str]:
    """Find the files in which an image may be lost."""
    if reason == BACKUP:
        there, originals = {*images}, {path: without_backup_end(path) for path in paths}
        return {
            path
            for path, original in originals.items()
            if original.lower().endswith(IMAGE_ENDS) and original not in there
        }
    if reason == ZIP:
        names = {path.rpartition("/")[2] for path in images}
        return {path for path in paths if not _image_names(folder / path) <= names}
    endings = {ending_of(path) for path in images}
    return {path for path in paths if ending_of(path) in endings}


def _image_names(archive: Path) -> set[str]:
    """Return the names of the images in an archive, by its list alone; none of a damaged one."""
    try:
        with zipfile.ZipFile(archive) as opened:
            paths = [PurePosixPath(name) for name in opened.namelist()]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return set()
    own = [path for path in paths if "__MACOSX" not in path.parts]
    return {path.name for path in own if path.name.lower().endswith(IMAGE_ENDS)}
