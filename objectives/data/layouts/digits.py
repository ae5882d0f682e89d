"""The digits that come with scikit-learn: 1,797 scans of 8 x 8 values from 0 to 16."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.contract import DataSource
from objectives.data.layouts.listing import File, Found, Listing
from objectives.data.pixels.decode import Pixels, square
from objectives.data.pixels.facts import Facts, look_at_pixels

PREFIX = "digit-"
VALUES = 64  # of a scan


@dataclass(frozen=True)
class Digits:
    """The scans as images; a path is `digit-0017`, the number of the scan from 0 on."""

    source: DataSource
    takes_group: ClassVar[bool] = False

    def find_images(self) -> Listing:
        """List the scans, each a group of its own, since the writers are not recorded."""
        found = [_found(row, digit) for row, digit in enumerate(_table()[:, VALUES].tolist())]
        return Listing(found=found, classes=tuple(str(digit) for digit in range(10)))

    def bytes_of(self, path: str) -> Mapping[Path, bytes]:
        """Return the 64 values of a scan, a byte each."""
        return {Path(path): self._scan(path).tobytes()}

    def pixels_of(self, path: str, image_size: int) -> Pixels:
        """Scale 0..16 to 0..255 and resize, the same grey in all three channels."""
        bright = (self._scan(path) * (255 / 16)).round().astype(np.uint8)
        return square(Image.fromarray(bright).convert("RGB"), image_size)

    def pixels_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of an RGB square."""
        return (3, image_size, image_size)

    def look_at(self, files: Mapping[Path, bytes]) -> Facts:
        """Examine a scan at its own size."""
        (contents,) = files.values()
        return look_at_pixels(Image.fromarray(np.frombuffer(contents, np.uint8).reshape(8, 8) * 15))

    def identity(self) -> tuple[object, ...]:
        """Return the kind: the scans are the same wherever the package is installed."""
        return (self.source.layout["kind"],)

    def choice(self) -> tuple[object, ...]:
        """Return nothing: every pixel is used."""
        return ()

    def _scan(self, path: str) -> npt.NDArray[np.uint8]:
        return _table()[int(path.removeprefix(PREFIX)), :VALUES].reshape(8, 8)


def _found(row: int, digit: int) -> Found:
    path = f"{PREFIX}{row:04d}"
    return Found(File(path, VALUES, 0), str(digit), path, "")


@cache
def _table() -> npt.NDArray[np.uint8]:
    """Read the scans, a row of 64 values and the digit each, as `load_digits` reads them.

    That is in a package whose import takes 1.5 s, a fifth of a worker's start.
    """
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    return np.loadtxt(str(file), dtype=np.uint8, delimiter=",")
