"""The place of each image: its split and fold, read from a file, given by the data, or carved."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from objectives.contract import DataError, DataSource
from objectives.data.layouts.listing import Listing
from objectives.data.manifest.few_groups import Labelled, check_enough_groups
from objectives.data.manifest.splits import SPLITS, carve, carve_folds, check_classes

EXCLUDED = "excluded"
WRITE_ANOTHER = "remove it, and let `search check --fix` write another"


class Place(NamedTuple):
    """The split that an image belongs to and, where there are folds, its fold from 1 on."""

    split: str
    fold: int = 0

    def __str__(self) -> str:
        return f"fold {self.fold}" if self.fold else self.split


PLACE_COLUMNS = Place._fields  # of a partition file, after the path


class Dividable(Labelled, Protocol):
    """The fields of an image that dividing needs; split: "" where none is given."""

    @property
    def split(self) -> str: ...


def divide(listing: Listing, source: DataSource) -> list[Place]:
    """Find the place of each image: the partition file's, else the given one, else a carved one.

    Raises DataError for a partition into other folds than the study's, and as `carve_places` does.
    """
    if source.partition is None:
        return carve_places(listing.found, source, bool(listing.sealed_test))
    known = read_partition(source.partition)
    _check_folds(source.partition, known, source.folds)
    return [known.get(found.file.path, Place("")) for found in listing.found]


def carve_places(
    images: Sequence[Dividable], source: DataSource, has_sealed_test: bool
) -> list[Place]:
    """Keep the given splits and carve the missing ones, or the folds, by the seed.

    Carving keeps groups whole.

    has_sealed_test: whether a test split exists that is not among these images.

    Raises DataError when the groups cannot give every split, or every fold, an image of every
    class.
    """
    splits = _splits(images, source, has_sealed_test)
    if not source.folds:
        return [Place(split) for split in splits]
    pool = [row for row, split in enumerate(splits) if split != "test"]
    check_enough_groups([images[row] for row in pool], source.folds, source.layout)
    folds = carve_folds(
        [images[row].label for row in pool],
        [images[row].group for row in pool],
        source.folds,
        source.split_seed,
    )
    fold_of = dict(zip(pool, folds, strict=True))
    rows = range(len(splits))
    return [Place("train", fold_of[row]) if row in fold_of else Place("test") for row in rows]


def read_partition(path: Path) -> dict[str, Place]:
    """Read the place of each path out of a table with columns path, split and fold.

    Further columns are ignored. Raises DataError for another file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["path"]: Place(row["split"], int(row.get("fold") or 0))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path}: no table with path, split and fold ({error})", fix=WRITE_ANOTHER
        ) from error


def _check_folds(path: Path, known: Mapping[str, Place], folds: int) -> None:
    """Raise DataError unless the partition has exactly the study's folds."""
    allowed = {Place("test"), Place(EXCLUDED), Place("")}
    if folds:
        allowed |= {Place("train", fold) for fold in range(1, folds + 1)}
    else:
        allowed |= {Place("train"), Place("val")}
    for name, place in known.items():
        if place not in allowed:
            raise DataError(
                f"{path}: puts {name} into {place.split!r}, fold {place.fold}, and the study has "
                f"{folds or 'no'} folds",
                fix=WRITE_ANOTHER,
            )


def _splits(images: Sequence[Dividable], source: DataSource, has_sealed_test: bool) -> list[str]:
    """Keep the given splits and carve the missing ones out of train."""
    splits = [image.split or "train" for image in images]
    spared = {"test"} if has_sealed_test or not source.has_test else set()
    spared |= {"val"} if source.folds else set()
    missing = [split for split in SPLITS[1:] if split not in splits and split not in spared]
    check_classes([image.label for image in images], splits)
    pool = [row for row, split in enumerate(splits) if split == "train"]
    to_train = {"train", "val"} if source.folds else {"train"}
    if not to_train & {*splits}:
        raise DataError(
            f"all {len(splits)} images are given to {' and '.join(sorted(set(splits)))}, none to "
            "train",
            fix="give train images of every class",
        )
    if missing:
        check_enough_groups([images[row] for row in pool], 1 + len(missing), source.layout)
        carved = carve(
            [images[row].label for row in pool],
            [images[row].group for row in pool],
            ["train", *missing],
            source.split_seed,
        )
        for row, split in zip(pool, carved, strict=True):
            splits[row] = split
    return splits
