"""Find folders that would be read as classes and are none: wrappers, folds, sites, patients."""

import re
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from objectives.contract import DataError
from objectives.data.alike import as_read
from objectives.data.layouts.given_splits import SplitFolders
from objectives.data.layouts.split_words import split_of
from objectives.data.problems import Problem

PART = re.compile(
    r"(?:\w*[\W_])?(?:fold|kfold|cv|split|part|partition|batch)[\W_]*\d+"
    r"|tr|te|ts|va|eval\w*|devel\w*|internal|external|labell?ed|unlabell?ed|extra",
    re.IGNORECASE,
)
# Names of folders that classes may have in common: sides, views, sequences, magnifications.
VIEW = re.compile(
    r"\d.*|[lr]|[lr]t|o[dsu]|re|le|cc|ap|pa|pd|left|right|both|eyes?|mlo|front(al)?|back|side"
    r"|lat(eral)?|axial|coronal|sagittal|flair|t1\w*|t2\w*|adc|dwi|base(line)?|follow.*"
    r"|(scan|series|visit|session|image|day|week|month|year)s?\W?\d*",
    re.IGNORECASE,
)
MANY = 10  # folders on top with fewer kinds of folders within, or numbered ones: patients
NUMBER = re.compile(r"\d+")


def check_class_depth(folder: Path, paths: Sequence[str], splits: SplitFolders | None) -> None:
    """Raise DataError where the class folders lie deeper than where they are read.

    paths: of the images that lie in folders of classes.
    splits: the folders of the splits, above the class folders or within them.
    """
    depth = 1 if splits and splits.depth == 0 else 0
    has_inner_splits = bool(splits and splits.depth == 1)
    inner = _inner(paths, depth, 2 if has_inner_splits else 1)
    shared = set.intersection(*inner.values())
    if len(inner) == 1 and (where := _wrapper(paths, depth, has_inner_splits)):
        inside = shlex.quote(str(folder / where))
        raise DataError(
            f"{folder}: all images lie in one folder, {where!r}, and no class is known",
            fix=(
                "move the folders in it up into those of the splits"
                if depth
                else f"if the folders in it are the classes or the splits, give --data {inside}"
            ),
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
    if depth and splits:  # `SplitFolders.split` refuses what lies beside the splits
        paths = [path for path in paths if splits.splits.get(path.partition("/")[0])]
    _refuse_nested_classes(folder, paths, depth)


def _parts(folder: Path, parts: Sequence[str], classes: Sequence[str]) -> DataError:
    return DataError(
        f"{folder}: {' and '.join(map(repr, parts))} look like parts of the data, with the folders "
        f"{' and '.join(map(repr, classes))} in each",
        fix=(
            "put all images of a class into one folder, with train, val and test above if they are "
            "splits, and declare folds=k for folds"
        ),
    )


def doubtful_classes(paths: Sequence[str], splits: SplitFolders | None) -> Iterator[Problem]:
    """Find folders with the same folders in each, which rather seem to be the classes (C09).

    paths, splits: as for `check_class_depth`.
    """
    if splits and splits.depth == 1:
        return
    depth = 1 if splits else 0
    inner = _inner(paths, depth, 1)
    if any(_direct(paths, depth)) or len(inner) < 2:
        return
    names = set.union(*inner.values())
    is_same = all(each == names for each in inner.values()) and not _are_no_classes(names)
    are_patients = len(names) < MANY <= len(inner)
    if len(names) > 1 and (is_same or are_patients):
        tops = _listed(inner)
        yield Problem(
            rule="C09",
            level="error" if are_patients else "warn",
            message=(
                f"the classes are the folders {tops}, and the folders {_listed(names)} lie in "
                f"them; if those are the classes, put them on top and {tops} into each of them"
            ),
        )


def _are_no_classes(names: Collection[str]) -> bool:
    """Whether folders are views, or many that differ by their numbers, as case01 to case20 do."""
    is_counted = len({NUMBER.sub("", name) for name in names}) == 1
    return all(map(VIEW.fullmatch, names)) or (is_counted and len(names) >= MANY)


def _listed(names: Collection[str]) -> str:
    """Return the first three names, as a part of a sentence."""
    first = sorted(names)[:3]
    more = [f"{len(names) - 3:,} more"] if len(names) > 3 else []
    return " and ".join([*map(repr, first), *more])


def _wrapper(paths: Sequence[str], depth: int, has_inner_splits: bool) -> str:
    """Return the folder in which all folders with images lie; "" where there is one of these."""
    folders = [path.split("/")[depth:-1] for path in paths]
    same = takewhile(lambda names: len({*names}) == 1, zip(*folders, strict=False))
    common: list[str] = [names[0] for names in same]
    if has_inner_splits:
        return common[0]
    within = {"/".join(each[len(common) : len(common) + 1]) for each in folders} - {""}
    return "/".join(common) if len(within) > 1 else ""


def _refuse_nested_classes(folder: Path, paths: Sequence[str], depth: int) -> None:
    """Refuse a folder that holds nothing but folders called like the classes beside it."""
    inner, own = _inner(paths, depth, 1), {path.split("/")[depth] for path in _direct(paths, depth)}
    classes = {as_read(name) for name in inner}
    for name, within in sorted(inner.items()):
        is_known = {*map(as_read, within)} <= classes - {as_read(name)}
        if name not in own and within and is_known and not all(map(VIEW.fullmatch, within)):
            raise DataError(
                f"{folder}: the folder {name!r} lies beside the classes and holds {_listed(within)}"
                ", which are called like them",
                fix="move it out of the data folder, or its images into the classes",
            )


def _direct(paths: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the images that lie in the folders of the classes themselves."""
    return (path for path in paths if path.count("/") == depth + 1)


def _inner(paths: Sequence[str], depth: int, below: int) -> Mapping[str, set[str]]:
    """Return the names of the folders within each class folder, so many folders below it."""
    inner: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        folders = path.split("/")[:-1]
        inner[folders[depth]].update(folders[depth + below : depth + below + 1])
    return inner
