"""The data of a study as its manifest lists them: images and groups by split and class."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """The images of one class in each split, and their groups, such as patients or slides."""

    name: str
    images: Mapping[str, int]
    groups: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """The images of a study.

    splits: those that have images, in their usual order.
    classes: in the order of their class index.
    images, groups: of each split.
    folds: into how many parts the training images are divided; 0 for none.
    has_groups: whether groups hold more than one image.
    are_apart: whether no group has images in two splits, nor in two folds.
    """

    splits: Sequence[str] = ()
    classes: Sequence[ClassCount] = ()
    images: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    folds: int = 0
    has_groups: bool = False
    are_apart: bool = True


def data_facts(manifest: str | None) -> DataFacts | None:
    """Count the images of a manifest, the CSV text that is stored; None where there is none."""
    if manifest is None:
        return None
    rows = [row for row in csv.DictReader(io.StringIO(manifest)) if row["split"] in SPLITS]
    images = Counter((row["split"], row["label"]) for row in rows)
    groups = _groups(rows)
    order = {row["label"]: int(row["class_index"]) for row in rows}
    splits = [split for split in SPLITS if any(place[0] == split for place in images)]
    names = sorted(order, key=order.__getitem__)
    places = {(row["group"], row["split"], row["fold"]) for row in rows}
    all_groups = {row["group"] for row in rows}
    return DataFacts(
        splits=splits,
        classes=[_class_count(name, splits, images, groups) for name in names],
        images={split: sum(images[split, name] for name in names) for split in splits},
        groups={
            split: len({row["group"] for row in rows if row["split"] == split}) for split in splits
        },
        folds=max((int(row["fold"]) for row in rows), default=0),
        has_groups=len(all_groups) < len(rows),
        are_apart=len(places) == len(all_groups),
    )


def _groups(rows: Sequence[Mapping[str, str]]) -> Mapping[tuple[str, str], int]:
    """Count the groups of each split and class."""
    found = {(row["split"], row["label"], row["group"]) for row in rows}
    return Counter((split, label) for split, label, _ in found)


def _class_count(
    name: str,
    splits: Sequence[str],
    images: Mapping[tuple[str, str], int],
    groups: Mapping[tuple[str, str], int],
) -> ClassCount:
    return ClassCount(
        name=name,
        images={split: images.get((split, name), 0) for split in splits},
        groups={split: groups.get((split, name), 0) for split in splits},
    )
