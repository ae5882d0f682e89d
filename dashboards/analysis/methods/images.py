"""Counts of a study's images by split, class and group, from its stored manifest."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from dashboards.analysis.numbers import counted

SPLITS = ("train", "val", "test")
FOLDS = "folds"  # the images that are validated in turn, in place of train and val


@dataclass(frozen=True, kw_only=True)
class SplitCounts:
    """The images and the groups of one split, by class and in all.

    all_groups: a group may hold images of several classes.
    """

    images: Mapping[str, int]
    groups: Mapping[str, int]
    all_groups: int

    @property
    def all_images(self) -> int:
        """The images of every class."""
        return sum(self.images.values())


@dataclass(frozen=True, kw_only=True)
class ImageCounts:
    """The images of a study in counts.

    classes: in the order of their index.
    splits: by name; with folds, `folds` stands for train and val.
    left_out: images that are listed and in no split.
    is_grouped: whether a group may hold more than one image.
    are_apart: whether no group has images in two splits, nor in two folds.
    sites: how many hospitals or scanners are known.
    """

    classes: Sequence[str]
    splits: Mapping[str, SplitCounts]
    left_out: int
    folds: int
    is_grouped: bool
    are_apart: bool
    all_groups: int
    sites: int

    @property
    def all_images(self) -> int:
        """The images of every split."""
        return sum(split.all_images for split in self.splits.values())

    def heading(self, split: str) -> str:
        """Return the heading of a split's column."""
        return f"{self.folds} folds" if split == FOLDS else split

    def remarks(self) -> Iterator[str]:
        """Yield the sentences that stand below the counts."""
        if self.is_grouped:
            apart = "no group has" if self.are_apart else "some groups have"
            where = "two splits or folds" if self.folds else "two splits"
            yield (
                "Images, and of how many groups, such as patients or slides;"
                f" {apart} images in {where}."
            )
        if self.sites:
            yield f"They come from {counted(self.sites, 'site')}."
        if self.left_out:
            yield f"{counted(self.left_out, 'listed image is', 'listed images are')} in no split."


def count_images(manifest: str) -> ImageCounts:
    """Count the images of a stored manifest.

    manifest: CSV text, a row per image, as `Store.manifest` returns it.
    """
    rows = list(_rows(manifest))
    labels = {int(row.class_index): row.label for row in rows}
    folds = max((int(row.fold) for row in rows), default=0)
    of_split: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        of_split[FOLDS if folds and row.split == "train" else row.split].append(row)
    names = (FOLDS, "test") if folds else SPLITS
    used = [row for name in names for row in of_split[name]]
    return ImageCounts(
        classes=[labels[index] for index in sorted(labels)],
        splits={name: _of_split(of_split[name]) for name in names if of_split[name]},
        left_out=sum(len(of_split[name]) for name in of_split if name not in names),
        folds=folds,
        is_grouped=any(row.group != row.path for row in rows),
        are_apart=_are_apart(used),
        all_groups=len({row.group for row in used}),
        sites=len({row.site for row in rows if row.site}),
    )


class _Row(NamedTuple):
    """The columns of a manifest that are counted."""

    path: str
    label: str
    class_index: str
    group: str
    site: str
    split: str
    fold: str


def _rows(manifest: str) -> Iterator[_Row]:
    lines = csv.reader(io.StringIO(manifest, newline=""))
    columns = next(lines)
    counted_ones = itemgetter(*map(columns.index, _Row._fields))
    return map(_Row._make, map(counted_ones, lines))


def _are_apart(rows: Sequence[_Row]) -> bool:
    places = {(row.group, row.split, row.fold) for row in rows}
    return len(places) == len({group for group, _, _ in places})


def _of_split(rows: Sequence[_Row]) -> SplitCounts:
    groups = Counter(label for label, _ in {(row.label, row.group) for row in rows})
    return SplitCounts(
        images=Counter(row.label for row in rows),
        groups=groups,
        all_groups=len({row.group for row in rows}),
    )
