"""A study's data in counts, for planning and for pages; no image is needed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from objectives.data.left_out import Count


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """The counts of one manifest; two machines with the same fingerprint train on the same data.

    fingerprint: sha256 over the manifest's sorted rows, in hex.
    classes: names in the order of their class index.
    counts: split -> class -> number of images.
    groups: split -> number of groups (slides, patients).
    left_out: reason -> number of files or rows that are not used, with an example.
    folds: their number; counts and groups are then those of the first fold.
    sealed_test: number of test images that were not opened, not even to count their classes.
    columns: names of the metadata of each image that a network may learn from.
    """

    fingerprint: str
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, int]
    is_practice: bool
    left_out: Mapping[str, Count] = field(default_factory=dict)
    folds: int = 0
    sealed_test: int = 0
    columns: tuple[str, ...] = ()
