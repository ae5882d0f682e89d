"""The listing of a layout: every image with its label, group, split, site and metadata."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem


class File(NamedTuple):
    """An image in the data folder.

    Where several files make one image (a patient's modalities) these are their folder's path and
    the sums of their bytes and times.

    path: relative, with forward slashes on every machine.
    bytes: the size.
    times_ns: what `times_of` says of it.
    """

    path: str
    bytes: int
    times_ns: int


def times_of(stat: os.stat_result) -> int:
    """Return the two times of a file, added: a number that every change of the file changes.

    Unpacking and copying set the time of the last write back, and many images have one size. The
    other time is that of the last change of either, and no program sets it.
    """
    return stat.st_mtime_ns + stat.st_ctime_ns


class Found(NamedTuple):
    """An image with everything that its layout says about it.

    label: the name of its class.
    split: train, val or test where the layout gives one, else "".
    site: the hospital or scanner; "" where it is not known.
    metadata: a value for each of the listing's columns; None where it is missing.
    """

    file: File
    label: str
    group: str
    split: str
    site: str = ""
    metadata: tuple[float | str | None, ...] = ()

    @property
    def path(self) -> str:
        """The path of its file."""
        return self.file.path


class Column(NamedTuple):
    """A column of metadata.

    kind: a network learns from numbers and categories; text, and the paths of files in the data
        folder, are for code of the author's own, and a digest is of the files of a column.
    """

    name: str
    kind: Literal["number", "category", "text", "file", "digest"]

    @property
    def is_learned(self) -> bool:
        """Whether a network may learn from it."""
        return self.kind in ("number", "category")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The images that a layout finds.

    classes: names in the order of their index.
    left_out: the files and rows that are not used, by reason.
    columns: of each image's metadata.
    problems: those that are found while the files are listed (C01, C04, C05, C08, C09, C13, C17
        and C18).
    sealed_test: number of images of a test split that is not opened; they are not in `found`.
    """

    found: Sequence[Found]
    classes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    columns: tuple[Column, ...] = ()
    problems: tuple[Problem, ...] = ()
    sealed_test: int = 0
