"""A study's data in counts: enough to plan and to label it, no image needed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """The counts of one manifest; two machines with the same fingerprint train on the same data.

    fingerprint: sha256 over the manifest's sorted rows, in hex.
    classes: names in the order of their class index.
    counts: split -> class -> images. groups: split -> groups (slides, patients) in it.
    skipped: what was left out on purpose, by label or reason -> images.
    columns: names of the metadata beside each image. folds: how many there are; counts and groups
    are then those of the first one. sealed_test: test images that are there but were not opened,
    not even to count their classes.
    """

    fingerprint: str
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, int]
    is_practice: bool
    skipped: Mapping[str, int]
    folds: int = 0
    sealed_test: int = 0
    columns: tuple[str, ...] = ()
