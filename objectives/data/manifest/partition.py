"""Where each image goes: a split or a fold, as given, as written down, or carved by the seed."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from objectives.contract import DataError, DataSource
from objectives.data.layouts.listing import Listing
from objectives.data.manifest.splits import SPLITS, carve, carve_folds, check_classes

EXCLUDED = "excluded"


class Place(NamedTuple):
    """An image's split and, where there are folds, its fold from 1 on."""

    split: str
    fold: int = 0


def divide(listing: Listing, source: DataSource) -> list[Place]:
    """Give the place of each image found: whole groups only, where we carve.

    A partition file stands before given splits, and those before carved ones. Raises DataError
    when the groups cannot give every split, or every fold, an image of every class, and for a
    partition into other folds than the study's.
    """
    if source.partition is not None:
        known = read_partition(source.partition)
        _check_folds(source.partition, known, source.folds)
        return [known.get(found.file.path, Place("")) for found in listing.found]
    splits = _splits(listing, source)
    if not source.folds:
        return [Place(split) for split in splits]
    pool = [row for row, split in enumerate(splits) if split != "test"]
    folds = carve_folds(
        [listing.found[row].label for row in pool],
        [listing.found[row].group for row in pool],
        source.folds,
        source.split_seed,
    )
    fold_of = dict(zip(pool, folds, strict=True))
    rows = range(len(splits))
    return [Place("train", fold_of[row]) if row in fold_of else Place("test") for row in rows]


def read_partition(path: Path) -> dict[str, Place]:
    """Read `path,split,fold` of a table that may have more columns; DataError when it has not."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["path"]: Place(row["split"], int(row.get("fold") or 0))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path}: no table with path, split and fold ({error}); remove it, and let "
            "`search check --fix` write another"
        ) from error


def _check_folds(path: Path, known: Mapping[str, Place], folds: int) -> None:
    """Raise DataError unless the partition is what this many folds ask for."""
    allowed = {Place("test"), Place(EXCLUDED), Place("")}
    if folds:
        allowed |= {Place("train", fold) for fold in range(1, folds + 1)}
    else:
        allowed |= {Place("train"), Place("val")}
    for name, place in known.items():
        if place not in allowed:
            raise DataError(
                f"{path}: puts {name} into {place.split!r}, fold {place.fold}, and the study has "
                f"{folds or 'no'} folds; remove it, and let `search check --fix` write another"
            )


def _splits(listing: Listing, source: DataSource) -> list[str]:
    """Keep the given splits and carve the missing ones out of train."""
    splits = [found.split or "train" for found in listing.found]
    spared = {"test"} if listing.sealed_test or not source.has_test else set()
    spared |= {"val"} if source.folds else set()
    missing = [split for split in SPLITS[1:] if split not in splits and split not in spared]
    check_classes([found.label for found in listing.found], splits)
    pool = [row for row, split in enumerate(splits) if split == "train"]
    to_train = {"train", "val"} if source.folds else {"train"}
    if not to_train & {*splits}:
        raise DataError(
            f"all {len(splits)} images are given to {' and '.join(sorted(set(splits)))}, none to "
            "train; give train images of every class"
        )
    if missing:
        carved = carve(
            [listing.found[row].label for row in pool],
            [listing.found[row].group for row in pool],
            ["train", *missing],
            source.split_seed,
        )
        for row, split in zip(pool, carved, strict=True):
            splits[row] = split
    return splits
