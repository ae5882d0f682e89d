"""What a reader gives: every image with its label, group and what else its layout says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from objectives.data.problems import Problem


class File(NamedTuple):
    """An image in the folder. path: relative, with forward slashes on every machine.

    Where several files make one image (a patient's modalities) it is their folder's path, the sum
    of their bytes and the newest of their times.
    """

    path: str
    bytes: int
    modified_ns: int


class Found(NamedTuple):
    """An image with its class name, its group, and what its layout gives besides.

    split: train, val or test where the layout gives one, else "". site: the hospital or scanner,
    else "". metadata: a value for each of the listing's columns, None where it is missing.
    """

    file: File
    label: str
    group: str
    split: str
    site: str = ""
    metadata: tuple[float | str | None, ...] = ()


class Column(NamedTuple):
    """A column of metadata."""

    name: str
    kind: Literal["number", "category"]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a layout finds. classes: names in index order. skipped: label or reason -> images.

    columns: of each image's metadata. problems: what only a reader sees (C04, C08, C09, C13).
    sealed_test: images of a test split that is there but not opened; they are not in `found`.
    """

    found: Sequence[Found]
    classes: tuple[str, ...]
    skipped: Mapping[str, int]
    columns: tuple[Column, ...] = ()
    problems: tuple[Problem, ...] = ()
    sealed_test: int = 0
