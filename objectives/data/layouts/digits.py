"""The digits that come with scikit-learn: 1,797 scans of 8 x 8 values from 0 to 16."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Digits:
    """The scans as images; a path is `digit-0017`, the number of the scan from 0 on."""

    source: DataSource
    takes_group: ClassVar[bool] = False

    def find_images(self) -> Listing:
        """List the scans, each a group of its own, since the writers are not recorded."""
        from sklearn.datasets import load_digits

        paths = [f"{PREFIX}{row:04d}" for row in range(len(self._scans))]
        found = [
            Found(File(path, scan.nbytes, 0), str(target), path, "")
            for path, scan, target in zip(
                paths, self._scans, load_digits().target.tolist(), strict=True
            )
        ]
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

    @cached_property
    def _scans(self) -> npt.NDArray[np.uint8]:
        from sklearn.datasets import load_digits

        scans: npt.NDArray[np.uint8] = load_digits().images.astype(np.uint8)
        return scans

    def _scan(self, path: str) -> npt.NDArray[np.uint8]:
        scan: npt.NDArray[np.uint8] = self._scans[int(path.removeprefix(PREFIX))]
        return scan
