"""The splits that the folders above the images give, and folders that only seem to give some."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from objectives.contract import DataError
from objectives.data.layouts.listing import Found
from objectives.data.layouts.split_words import named_after, split_of, splits_of
from objectives.data.problems import Problem

END_WORD = re.compile(r"^([^\W\d_]+)(?![^\W\d_])|(?<![^\W\d_])([^\W\d_]+)\d*$")
# Words for val that name classes, too: of images that are valid, of developed film.
NAMES_OF_CLASSES = ("valid", "dev", "tune", "tuning")


@dataclass(frozen=True)
class SplitFolders:
    """The folders of the splits.

    depth: how many folders lie above them.
    splits: name of a folder at this depth -> train, val or test; "" for a folder of no split.
    """

    depth: int
    splits: Mapping[str, str]

    def split(self, path: str) -> str:
        """Return the split of an image; DataError for one outside the folders of the splits."""
        *folders, _ = path.split("/")
        name = folders[self.depth] if len(folders) > self.depth else ""
        if split := self.splits.get(name):
            return split
        if not name:
            raise DataError(
                f"{path}: outside the train, val and test folders beside it",
                fix="move it into one of them",
            )
        known = next(each for each, split in self.splits.items() if split == "train")
        raise DataError(
            f"{path}: outside the train, val and test folders: {name!r} lies where {known!r} lies",
            fix=(
                "rename it to train, val or test, or move it out of the data folder; a class needs "
                f"another name than {known!r}"
            ),
        )

    def problems(self) -> Iterator[Problem]:
        """Find the folders that are read as one split (C09)."""
        names: defaultdict[str, list[str]] = defaultdict(list)
        for name, split in sorted(self.splits.items()):
            names[split].append(name)
        for split, alike in names.items():
            if split and len(alike) > 1:
                yield Problem(
                    rule="C09",
                    level="warn",
                    message=(
                        f"the folders {' and '.join(map(repr, alike))} are all read as {split}; "
                        "put their images into one of them, or rename those of another split"
                    ),
                )


def read_splits(
    paths: Sequence[str], lone: Literal["error", "warn"], deepest: int | None = None
) -> tuple[SplitFolders | None, tuple[Problem, ...]]:
    """Find the folders of the splits, if there are any, and what is wrong with them (C09).

    lone: the level of a folder that is called test or val where no folder is called train.
    deepest: as for `find_split_folders`.

    Raises DataError where splits are unclear.
    """
    if splits := find_split_folders(paths, deepest):
        return splits, tuple(splits.problems())
    refuse_unclear_splits(paths, deepest)
    return None, tuple(_lone_splits(paths, lone))


def find_split_folders(paths: Sequence[str], deepest: int | None = None) -> SplitFolders | None:
    """Find the folders of the splits nearest to the top, of which one is called train.

    deepest: the greatest number of folders above them that is looked at; None for any.
    """
    for depth, names in enumerate(_names_by_depth(paths, deepest)):
        splits = splits_of(names)
        if "train" in splits.values():
            return SplitFolders(depth, splits)
    return None


def with_folder_splits(found: Sequence[Found]) -> list[Found]:
    """Add the splits that the folders give, if several, where no image has one yet."""
    splits = find_split_folders([each.file.path for each in found])
    given = {*splits.splits.values()} - {""} if splits else set()
    if splits is None or len(given) < 2 or any(each.split for each in found):
        return list(found)
    return [each._replace(split=splits.split(each.file.path)) for each in found]


def refuse_unclear_splits(paths: Sequence[str], deepest: int | None = None) -> None:
    """Refuse folders and files that are named after splits where no folder is called train.

    deepest: as for `find_split_folders`, which has found none.

    Raises DataError for folders whose names have a split and more, for images of other splits
    without any to train on, and for files that are named after their splits.
    """
    for names in _names_by_depth(paths, deepest):
        _refuse_half_named(names)
    _refuse_without_train([path.split("/")[:-1] for path in paths])
    _refuse_names_of_files(paths)


def _names_by_depth(paths: Sequence[str], deepest: int | None) -> Iterator[list[str]]:
    """Return the names of the folders at each depth, sorted, from the top on."""
    names: defaultdict[int, set[str]] = defaultdict(set)
    for path in paths:
        for depth, name in enumerate(path.split("/")[:-1]):
            names[depth].add(name)
    depths = sorted(names)[: None if deepest is None else deepest + 1]
    return (sorted(names[depth]) for depth in depths)


def _refuse_half_named(names: Sequence[str]) -> None:
    """Refuse folders such as train_cats and test_cats, which are no classes."""
    of = {split: name for name in names if (split := named_after(name))}
    if "train" in of and len(of) > 1:
        name, other = of.pop("train"), of.popitem()[1]
        raise DataError(
            f"the folders {name!r} and {other!r} name a split and more",
            fix="make folders train, val and test, and in each a folder per class",
        )


def _refuse_without_train(folders: Sequence[Sequence[str]]) -> None:
    """Refuse images to validate or test on where no folder holds those to train on."""
    tops = {each[0] if each else "" for each in folders}
    held = sorted(top for top in tops if split_of(top) in ("val", "test"))
    if held and tops == {*held}:
        raise DataError(
            f"images in {' and '.join(held)} and none in train",
            fix="bring the training images back",
        )
    inner = {(each[0], each[1]) for each in folders if len(each) > 1}
    for top, name in sorted(inner):
        if top in held and name in tops:
            raise DataError(
                f"the folder {name!r} lies in {top!r}, and another one beside it",
                fix=f"move the folders beside {top!r} into one called train",
            )


def _refuse_names_of_files(paths: Sequence[str]) -> None:
    """Refuse a folder in which every file name begins or ends with the word of its split."""
    found: set[str] = set()
    for path in paths:
        words = [a or b for a, b in END_WORD.findall(PurePosixPath(path).stem)]
        splits = {split for word in words if (split := split_of(word))}
        if len(splits) != 1:
            return
        found |= splits
    if "train" in found and len(found) > 1:
        raise DataError(
            f"the names of the files say {', '.join(sorted(found))}, {paths[0]!r} for example, and "
            "no folder does",
            fix="move the images into folders called train, val and test",
        )


def _lone_splits(paths: Sequence[str], level: Literal["error", "warn"]) -> Iterator[Problem]:
    """Find folders that are called test or val where no folder is called train (C09)."""
    tops = {path.partition("/")[0] for path in paths if "/" in path}
    for name in sorted(tops):
        if split_of(name) and name.casefold() not in NAMES_OF_CLASSES:
            yield Problem(
                rule="C09",
                level=level,
                message=(
                    f"the folder {name!r} is called like a split and read as none, since no folder "
                    "is called train: its images are trained on; move the other images into a "
                    f"folder called train, or give {name!r} another name"
                ),
            )
