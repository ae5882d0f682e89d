"""A folder of images: its files, and the groups and splits that their names and folders give."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from objectives.contract import DataError, DataSource
from objectives.data.layouts.listing import File, Found
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.whole_slides import check_folder

log = logging.getLogger(__name__)

EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
SPLIT_OF_FOLDER = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def image_folder(source: DataSource) -> Path:
    """Return the folder of the data; DataError when there is none to read."""
    if source.folder is None:
        raise DataError("this study needs a data folder", fix="name it with --data DIR")
    if not source.folder.is_dir():
        raise DataError(f"{source.folder}: no such folder", fix="check the path given to --data")
    return source.folder


def list_images(folder: Path) -> list[File]:
    """List the images of a folder by path, without hidden files and folders.

    Raises DataError where there is none, for whole slides, and for links and names that cannot be
    read.
    """
    images = sorted(_walk(folder))
    check_folder(folder, images)
    if not images:
        raise DataError(
            f"{folder}: no image in it ({', '.join(EXTENSIONS)})",
            fix="check the path given to --data",
        )
    return images


def _walk(folder: Path) -> Iterator[File]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        _check_links([*(Path(parent, name) for name in folders), *paths])
        for path in paths:
            if path.name.lower().endswith(EXTENSIONS):
                stat = path.stat()
                if not S_ISREG(stat.st_mode):  # reading a pipe would wait for ever
                    raise DataError(f"{path}: a pipe or device, not an image", fix="remove it")
                relative = path.relative_to(folder).as_posix()
                if not _is_text(relative):
                    raise DataError(
                        f"{path}: a name that is not UTF-8, so that no table can hold it",
                        fix="rename it, for example with convmv",
                    )
                yield File(relative, stat.st_size, stat.st_mtime_ns)


def _is_text(name: str) -> bool:
    """Whether the name is text: Python decodes other bytes as lone surrogates."""
    return name.isascii() or not any("\udc80" <= each <= "\udcff" for each in name)


def _check_links(paths: Sequence[Path]) -> None:
    """Raise DataError for a link that leads nowhere, or to a folder above itself."""
    for link in (path for path in paths if path.is_symlink()):
        if not link.exists():
            raise DataError(
                f"{link}: leads to {link.readlink()}, which is not here",
                fix="bring it back or remove the link",
            )
        if any(link.samefile(above) for above in link.parents):
            raise DataError(
                f"{link}: leads back to {link.readlink()}, a folder above it",
                fix="remove the link",
            )


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder, without hidden ones."""
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]


def with_groups(labelled: Sequence[tuple[File, str]], source: DataSource) -> list[Found]:
    """Add the group and the given split to each file and label.

    Raises DataError where a pattern does not match every file, or a file lies outside the splits.
    """
    images = [file for file, _ in labelled]
    groups, splits = _groups(images, source.layout.get("group")), _given_splits(images)
    return [
        Found(file, label, group, split)
        for (file, label), group, split in zip(labelled, groups, splits, strict=True)
    ]


def _groups(images: Sequence[File], group: str | None) -> list[str]:
    """Read groups from file names, else from paths; without a pattern, every file is its own."""
    if group is None:
        return [file.path for file in images]
    named = compile_pattern(group, "group")
    # The name first, since most patterns mean it; the path serves data with a folder per patient.
    groups = [
        match_pattern(named, PurePosixPath(file.path).name) or match_pattern(named, file.path)
        for file in images
    ]
    without = [file.path for file, found in zip(images, groups, strict=True) if not found]
    if len(without) == len(images):
        log.warning("no file name carries a group by %r: each image is its own group", group)
        return [file.path for file in images]
    if without:
        raise DataError(
            f"{len(without)} of {len(images)} files give no group by {group!r}, for example "
            f"{without[0]!r}",
            fix="correct the group pattern of the study, or these file names",
        )
    return groups


def _given_splits(images: Sequence[File]) -> list[str]:
    """Read each file's split from its top folder when one is called train, else "" for all."""
    tops = [PurePosixPath(file.path).parts[0].lower() for file in images]
    splits = [SPLIT_OF_FOLDER.get(top, "") for top in tops]
    if "train" not in splits:
        return [""] * len(images)
    if "" in splits:
        raise DataError(
            f"{images[splits.index('')].path}: outside the train, val and test folders beside it",
            fix="move it into one of them",
        )
    return splits
