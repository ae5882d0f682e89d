"""The layouts data comes in: from a folder as downloaded to a list of labelled files."""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from objectives.contract import DataError, DataSource

log = logging.getLogger(__name__)

EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
SPLIT_OF_FOLDER = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
NO_LABEL = "no label in the name"
NO_FOLDER = "outside the class folders"


class File(NamedTuple):
    """An image in the folder. path: relative, with forward slashes on every machine."""

    path: str
    bytes: int
    modified_ns: int


class Found(NamedTuple):
    """An image with its class name, its group, and its split where folders give one (else "")."""

    file: File
    label: str
    group: str
    split: str


@dataclass(frozen=True)
class Listing:
    """What a layout finds. classes: names in index order. skipped: label or reason -> images."""

    found: Sequence[Found]
    classes: tuple[str, ...]
    skipped: Mapping[str, int]


def read_layout(source: DataSource) -> Listing:
    """Give every image that the layout declares, with label, group and given split.

    Raises DataError when the folder does not hold what the layout says.
    """
    kind = source.layout["kind"]
    if kind not in READERS:
        raise DataError(f"no reader for data of kind {kind!r}; use one of {', '.join(READERS)}")
    return READERS[kind](source)


def image_folder(source: DataSource) -> Path:
    """Give the folder of the data; raises DataError when there is none to read."""
    if source.folder is None:
        raise DataError("this study needs a data folder; name it with --data DIR")
    if not source.folder.is_dir():
        raise DataError(f"{source.folder}: no such folder; check the path given to --data")
    return source.folder


def _file_names(source: DataSource) -> Listing:
    """L1: label and group in the file name; a folder named like a class stands in for the label."""
    folder, layout = image_folder(source), source.layout
    pattern = _pattern(layout["label"], "label")
    names = dict(layout.get("names") or {})
    skip = {str(label) for label in layout.get("skip") or ()}
    files, skipped = _files(folder), Counter[str]()
    labelled: list[tuple[File, str]] = []
    for file in files:
        label = _label(file, pattern, names)
        if label is None or label in skip:
            skipped[NO_LABEL if label is None else names.get(label, label)] += 1
        else:
            labelled.append((file, label))
    if not labelled:
        raise DataError(
            f"{folder}: no file of {len(files)} gives a label by {pattern.pattern!r}, for example "
            f"{PurePosixPath(files[0].path).name!r}; correct the label pattern of the study"
        )
    order = sorted({label for _, label in labelled}, key=lambda label: (len(label), label))
    found = _found([(file, names.get(label, label)) for file, label in labelled], source)
    # Two labels of one name are one class.
    classes = tuple(dict.fromkeys(names.get(label, label) for label in order))
    return Listing(found, classes, skipped)


def _class_folders(source: DataSource) -> Listing:
    """L2: one folder per class, with or without train, val and test above."""
    folder = image_folder(source)
    tops = _subfolders(folder)
    has_splits = any(SPLIT_OF_FOLDER.get(top.name.lower()) == "train" for top in tops)
    class_folders = [sub for top in tops for sub in _subfolders(top)] if has_splits else tops
    depth = 1 if has_splits else 0
    labelled: list[tuple[File, str]] = []
    skipped = Counter[str]()
    filled: set[Path] = set()
    for file in _files(folder):
        parts = PurePosixPath(file.path).parts
        if len(parts) < depth + 2:
            skipped[NO_FOLDER] += 1
            continue
        labelled.append((file, parts[depth]))
        filled.add(folder.joinpath(*parts[: depth + 1]))
    if empty := sorted(set(class_folders) - filled):
        raise DataError(
            f"{empty[0]}: this class folder holds no image and would shift the others' class "
            "index; fill it or remove it"
        )
    if not labelled:
        raise DataError(f"{folder}: no class folder with images; make one folder per class")
    classes = tuple(sorted({label for _, label in labelled}))
    return Listing(_found(labelled, source), classes, skipped)


def _digits(_: DataSource) -> Listing:
    """scikit-learn's digits: each scan its own group, since the writers are not recorded."""
    from sklearn.datasets import load_digits

    targets = load_digits().target.tolist()
    found = [
        Found(File(f"digit-{row:04d}", 64, 0), str(target), f"digit-{row:04d}", "")
        for row, target in enumerate(targets)
    ]
    return Listing(found, tuple(str(digit) for digit in range(10)), {})


READERS: Mapping[str, Callable[[DataSource], Listing]] = {
    "file_names": _file_names,
    "class_folders": _class_folders,
    "digits": _digits,
}


def _files(folder: Path) -> list[File]:
    """Give the folder's images, hidden files and folders apart, sorted by path."""
    files = sorted(_walk(folder))
    if not files:
        raise DataError(
            f"{folder}: no image in it ({', '.join(EXTENSIONS)}); check the path given to --data"
        )
    return files


def _walk(folder: Path) -> Iterator[File]:
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        _check_links([*(Path(parent, name) for name in folders), *paths])
        for path in paths:
            if path.name.lower().endswith(EXTENSIONS):
                stat = path.stat()
                relative = path.relative_to(folder).as_posix()
                yield File(relative, stat.st_size, stat.st_mtime_ns)


def _check_links(paths: Sequence[Path]) -> None:
    """Raise DataError for a link that leads nowhere or to a folder above itself."""
    for link in (path for path in paths if path.is_symlink()):
        if not link.exists():
            raise DataError(
                f"{link}: leads to {link.readlink()}, which is not here; bring it back or remove "
                "the link"
            )
        if any(link.samefile(above) for above in link.parents):
            raise DataError(
                f"{link}: leads back to {link.readlink()}, a folder above it; remove the link"
            )


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _label(file: File, pattern: re.Pattern[str], names: Mapping[str, str]) -> str | None:
    """Read the label off the name, else off a folder named like a class; both must agree."""
    path = PurePosixPath(file.path)
    folder = path.parent.name.strip().casefold()
    of_folder = [label for label, name in names.items() if name.casefold() == folder]
    match = pattern.search(path.name)
    of_name: str | None = match.group(1) if match else None
    if of_name and of_folder and of_name not in of_folder:
        raise DataError(
            f"{file.path}: the name says label {of_name!r}, its folder {of_folder[0]!r}; "
            "move or rename the file"
        )
    return of_name or next(iter(of_folder), None)


def _found(labelled: Sequence[tuple[File, str]], source: DataSource) -> list[Found]:
    """Add each file's group and given split."""
    files = [file for file, _ in labelled]
    groups, splits = _groups(files, source.layout.get("group")), _given_splits(files)
    return [
        Found(file, label, group, split)
        for (file, label), group, split in zip(labelled, groups, splits, strict=True)
    ]


def _groups(files: Sequence[File], group: str | None) -> list[str]:
    """Read each file's group off its name; without a pattern, every file is its own."""
    if group is None:
        return [file.path for file in files]
    pattern = _pattern(group, "group")
    matches = [pattern.search(PurePosixPath(file.path).name) for file in files]
    without = [file.path for file, match in zip(files, matches, strict=True) if match is None]
    if len(without) == len(files):
        log.warning("no file name carries a group by %r: each image is its own group", group)
        return [file.path for file in files]
    if without:
        raise DataError(
            f"{len(without)} of {len(files)} files give no group by {group!r}, for example "
            f"{without[0]!r}; correct the group pattern of the study, or these file names"
        )
    return [match.group(1) for match in matches if match]


def _given_splits(files: Sequence[File]) -> list[str]:
    """Give each file's split by its top folder when one is called train, else "" for all."""
    tops = [PurePosixPath(file.path).parts[0].lower() for file in files]
    splits = [SPLIT_OF_FOLDER.get(top, "") for top in tops]
    if "train" not in splits:
        return [""] * len(files)
    if "" in splits:
        raise DataError(
            f"{files[splits.index('')].path}: outside the train, val and test folders beside it; "
            "move it into one of them"
        )
    return splits


def _pattern(expression: str, what: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise DataError(
            f"the {what} pattern {expression!r} is no regular expression ({error}); correct it"
        ) from error
    if pattern.groups != 1:
        raise DataError(
            f"the {what} pattern {expression!r} has {pattern.groups} groups in parentheses; "
            f"give it exactly one, around the {what}"
        )
    return pattern
