"""The manifest: every image of a study with its class, group and split, and one fingerprint."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from objectives.contract import DataError, DataSource
from objectives.data.layouts import Listing, read_layout
from objectives.data.splits import SPLITS, carve, check_given
from objectives.data.summary import DataSummary

PRACTICE_NOTE = "practice.json"  # written last: a folder that has it is a whole practice set


class Row(NamedTuple):
    """One image. path: relative to the data folder. modified_ns: this machine's, never hashed."""

    path: str
    label: str
    class_index: int
    group: str
    split: str
    bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Manifest:
    """The rows, sorted by path, and what they add up to. skipped: label or reason -> images."""

    rows: tuple[Row, ...]
    classes: tuple[str, ...]
    skipped: Mapping[str, int]
    is_practice: bool

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of what every machine must share: paths, labels, groups, splits and sizes."""
        facts = [list(row[: Row._fields.index("modified_ns")]) for row in self.rows]
        return hashlib.sha256(json.dumps([self.classes, facts]).encode()).hexdigest()

    def split(self, name: str) -> tuple[Row, ...]:
        """Give the rows of one split."""
        return tuple(row for row in self.rows if row.split == name)

    def summary(self) -> DataSummary:
        """Give the counts, without the rows."""
        labels = {split: Counter(row.label for row in self.split(split)) for split in SPLITS}
        return DataSummary(
            fingerprint=self.fingerprint,
            classes=self.classes,
            counts={split: {c: labels[split][c] for c in self.classes} for split in SPLITS},
            groups={split: len({row.group for row in self.split(split)}) for split in SPLITS},
            is_practice=self.is_practice,
            skipped=self.skipped,
        )


def read_manifest(source: DataSource) -> Manifest:
    """List the data of a study with classes, groups and splits; no image is opened.

    Splits given as folders stand; those missing are carved out of train by `source.split_seed`.
    Raises DataError, one line that ends with the fix.
    """
    is_practice = source.folder is not None and _is_practice(source.folder)
    listing = read_layout(source)
    if len(listing.classes) < 2:
        raise DataError(
            f"{source.folder}: only one class, {listing.classes[0]!r}, in "
            f"{len(listing.found)} images; add images of another class or correct the layout"
        )
    splits = _splits(listing, source.split_seed)
    class_index = {name: index for index, name in enumerate(listing.classes)}
    rows = (
        Row(
            path=found.file.path,
            label=found.label,
            class_index=class_index[found.label],
            group=found.group,
            split=split,
            bytes=found.file.bytes,
            modified_ns=found.file.modified_ns,
        )
        for found, split in zip(listing.found, splits, strict=True)
    )
    return Manifest(tuple(sorted(rows)), listing.classes, dict(listing.skipped), is_practice)


def summarize(source: DataSource) -> DataSummary:
    """Give the counts of a study's data; see `read_manifest` for the errors."""
    return read_manifest(source).summary()


def _splits(listing: Listing, seed: int) -> list[str]:
    """Keep the given splits and carve the missing ones out of train."""
    labels = [found.label for found in listing.found]
    groups = [found.group for found in listing.found]
    splits = [found.split or "train" for found in listing.found]
    missing = [split for split in SPLITS if split not in splits]
    pool = [row for row, split in enumerate(splits) if split == "train"]
    check_given(labels, groups, splits)
    if missing:
        carved = carve(
            [labels[row] for row in pool],
            [groups[row] for row in pool],
            ["train", *missing],
            seed,
        )
        for row, split in zip(pool, carved, strict=True):
            splits[row] = split
    return splits


def _is_practice(folder: Path) -> bool:
    if (folder / f".{PRACTICE_NOTE}").exists():
        raise DataError(
            f"{folder}: a practice set whose making was interrupted; run `search data make` with "
            "the same --out again"
        )
    return (folder / PRACTICE_NOTE).exists()
