"""The manifest: every image of a study with its class, group and split, and a fingerprint."""

import csv
import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import PRACTICE_NOTE
from objectives.data.layouts.listing import Column, Listing
from objectives.data.layouts.readers import open_layout
from objectives.data.left_out import LeftOut, count_by_reason
from objectives.data.manifest.file_columns import with_digests
from objectives.data.manifest.partition import Place, divide
from objectives.data.manifest.splits import SPLITS
from objectives.data.manifest.summary import DataSummary
from objectives.data.problems import Problem, Undivided
from objectives.data.scan.scan import digests


class Row(NamedTuple):
    """One image.

    path: relative to the data folder.
    class_index: position of the label in the manifest's classes.
    site: the hospital or scanner; "" where it is not known.
    split: train, val or test; "excluded"; "" for an image that the partition does not name.
    fold: from 1 on where there are folds (the split is then train), else 0.
    sha1: of the image's bytes, in hex; "" for an image that cannot be read.
    metadata: a value for each of the manifest's columns; None where it is missing.
    bytes, times_ns: size and times on this machine, never hashed.
    """

    path: str
    label: str
    class_index: int
    group: str
    site: str
    split: str
    fold: int
    sha1: str
    metadata: tuple[float | str | None, ...]
    bytes: int
    times_ns: int

    @property
    def place(self) -> Place:
        """The split that the image belongs to, with its fold."""
        return Place(self.split, self.fold)


STORED = Row._fields[: Row._fields.index("metadata")]  # the columns of every stored table
SHARED = len(STORED) + 1  # leading fields, metadata included, equal on every machine


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The images of a study.

    rows: sorted by path.
    classes: names in the order of their index.
    left_out: the files and rows that are not used, by reason.
    columns: of the rows' metadata.
    problems: found while listing.
    folds: 0 where there are none.
    sealed_test: number of test images that have no row, since they are not opened.
    """

    rows: tuple[Row, ...]
    classes: tuple[str, ...]
    is_practice: bool
    left_out: tuple[LeftOut, ...] = ()
    columns: tuple[Column, ...] = ()
    problems: tuple[Problem, ...] = ()
    folds: int = 0
    sealed_test: int = 0

    @cached_property
    def fingerprint(self) -> str:
        """The sha256, in hex, of names, labels, groups, splits and contents; "none" without rows.

        It must be the same on every machine of a study.
        """
        if not self.rows:
            return "none"
        facts = [list(row[:SHARED]) for row in self.rows]
        return _sha256([self.classes, self.columns, facts])

    def split(self, name: str, fold: int = 1) -> tuple[Row, ...]:
        """Return the rows of one split; where there are folds, val is the fold and train the rest.

        name: train, val or test.
        fold: from 1 on; ignored where there are no folds.
        """
        if self.folds and name != "test":
            pool = (row for row in self.rows if row.split == "train")
            return tuple(row for row in pool if (row.fold == fold) == (name == "val"))
        return tuple(row for row in self.rows if row.split == name)

    @cached_property
    def summary(self) -> DataSummary:
        """The counts, without the rows."""
        rows = {split: self.split(split) for split in SPLITS}
        labels = {split: Counter(row.label for row in rows[split]) for split in SPLITS}
        return DataSummary(
            fingerprint=self.fingerprint,
            classes=self.classes,
            counts={split: {c: labels[split][c] for c in self.classes} for split in SPLITS},
            groups={split: len({row.group for row in rows[split]}) for split in SPLITS},
            is_practice=self.is_practice,
            left_out=count_by_reason((*self.left_out, *self._in_no_split)),
            folds=self.folds,
            sealed_test=self.sealed_test,
            columns=tuple(column.name for column in self.columns if column.is_learned),
        )

    @property
    def _in_no_split(self) -> Iterator[LeftOut]:
        paths: defaultdict[str, list[str]] = defaultdict(list)
        for row in self.rows:
            if row.split not in SPLITS:
                paths[row.split or "in no split"].append(row.path)
        return (LeftOut(reason=word, paths=tuple(each)) for word, each in paths.items())

    def as_csv(self) -> str:
        """Write the rows as CSV, the form in which they are stored and shown."""
        text = io.StringIO()
        writer = csv.writer(text)  # lines end in \r\n, so that a \r in a name is quoted
        writer.writerow([*STORED, *(column.name for column in self.columns)])
        for row in self.rows:
            writer.writerow([*row[: len(STORED)], *row.metadata])
        return text.getvalue()


NOTHING = Manifest(rows=(), classes=(), is_practice=False)  # of an objective without data


def read_manifest(
    source: DataSource,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    listed: Callable[[int], None] | None = None,
    listing: Listing | None = None,
) -> Manifest:
    """Read the images of a study with their classes, groups, splits and digests.

    Splits that the folders or the table give are kept; missing ones are carved out of train by
    `source.split_seed`. A partition file takes the place of both.

    cache: where the images' digests are kept.
    progress: called for each image that is read.
    listed: called with the number of images, by a caller that will check them next; each image is
    then examined in the same pass.
    listing: the images of this source, where they are listed already.

    Raises DataError.
    """
    is_practice = source.folder is not None and _is_practice(source.folder)
    layout = open_layout(source)
    listing = listing or layout.find_images()
    places = _places(listing, source)
    listing = with_digests(listing, layout, source.folder, cache)
    if listed:
        listed(len(listing.found))
    files = [found.file for found in listing.found]
    sha1 = digests(layout, files, cache, progress, look=listed is not None)
    return Manifest(
        rows=_rows(listing, places, sha1),
        classes=listing.classes,
        is_practice=is_practice,
        left_out=listing.left_out,
        columns=listing.columns,
        problems=listing.problems,
        folds=source.folds,
        sealed_test=listing.sealed_test,
    )


def _sha256(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _places(listing: Listing, source: DataSource) -> list[Place]:
    try:
        if len(listing.classes) < 2:
            raise DataError(
                f"{source.folder}: only one class, {listing.classes[0]!r}, in "
                f"{len(listing.found)} images",
                fix="add images of another class or correct the layout",
            )
        return divide(listing, source)
    except DataError as error:
        raise Undivided(error.found, error.fix, problems=listing.problems) from error


def _rows(listing: Listing, places: list[Place], sha1: Mapping[str, str]) -> tuple[Row, ...]:
    class_index = {name: index for index, name in enumerate(listing.classes)}
    rows = (
        Row(
            path=found.file.path,
            label=found.label,
            class_index=class_index[found.label],
            group=found.group,
            site=found.site,
            split=place.split,
            fold=place.fold,
            sha1=sha1[found.file.path],
            metadata=found.metadata,
            bytes=found.file.bytes,
            times_ns=found.file.times_ns,
        )
        for found, place in zip(listing.found, places, strict=True)
    )
    return tuple(sorted(rows, key=lambda row: row.path))


def _is_practice(folder: Path) -> bool:
    if (folder / f".{PRACTICE_NOTE}").exists():
        raise DataError(
            f"{folder}: a practice set whose making was interrupted",
            fix="run `search data make` with the same --out again",
        )
    return (folder / PRACTICE_NOTE).exists()
