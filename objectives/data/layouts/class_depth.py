"""Refuse folders above the class folders that would be read as classes: wrappers, folds, parts."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from objectives.contract import DataError
from objectives.data.layouts.given_splits import SplitFolders
from objectives.data.layouts.split_words import split_of

PART = re.compile(
    r"(?:\w*[\W_])?(?:fold|kfold|cv|split|part|partition|batch)[\W_]*\d+"
    r"|tr|te|ts|va|eval\w*|devel\w*|internal|external|labell?ed|unlabell?ed|extra",
    re.IGNORECASE,
)


def check_class_depth(folder: Path, paths: Sequence[str], splits: SplitFolders | None) -> None:
    """Raise DataError where the class folders lie deeper than where they are read.

    paths: of the images that lie in folders of classes.
    splits: the folders of the splits, above the class folders or within them.
    """
    depth = 1 if splits and splits.depth == 0 else 0
    has_inner_splits = bool(splits and splits.depth == 1)
    inner = _inner(paths, depth, 2 if has_inner_splits else 1)
    shared = set.intersection(*inner.values())
    if len(inner) == 1 and (len(shared) > 1 or has_inner_splits):
        (only,) = inner
        where = folder.joinpath(*paths[0].split("/")[:depth], only)
        raise DataError(
            f"{folder}: all images lie in one folder, {only!r}, and no class is known",
            fix=f"if the folders in it are the classes or the splits, give --data {where}",
        )
    if has_inner_splits and shared:
        raise DataError(
            f"{folder}: the folder {min(shared)!r} lies below the splits of {len(inner)} folders",
            fix="put train, val and test on top, and in each a folder per class",
        )
    if depth and all(map(split_of, inner)):
        raise DataError(
            f"{folder}: the folders of the splits lie twice, {min(inner)!r} within another for "
            "example, and no class is known",
            fix="move what lies in the inner folders up by one",
        )
    if len(shared) > 1 and all(PART.fullmatch(each) or split_of(each) for each in inner):
        raise _parts(folder, sorted(inner), sorted(shared))


def _parts(folder: Path, parts: Sequence[str], classes: Sequence[str]) -> DataError:
    return DataError(
        f"{folder}: {' and '.join(map(repr, parts))} look like parts of the data, with the folders "
        f"{' and '.join(map(repr, classes))} in each",
        fix=(
            "put all images of a class into one folder, with train, val and test above if they are "
            "splits, and declare folds=k for folds"
        ),
    )


def _inner(paths: Sequence[str], depth: int, below: int) -> Mapping[str, set[str]]:
    """Return the names of the folders within each class folder, so many folders below it."""
    inner: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        folders = path.split("/")[:-1]
        inner[folders[depth]].update(folders[depth + below : depth + below + 1])
    return inner
