"""Ordinary image files, one per image, as file names, class folders and tables all have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from objectives.contract import DataSource
from objectives.data.layouts.layout import data_folder
from objectives.data.pixels.decode import Pixels, decode
from objectives.data.pixels.facts import Facts, look_at_file


@dataclass(frozen=True)
class ImageFiles:
    """A layout without `find_images`, which each of the three subclasses adds."""

    source: DataSource
    takes_group: ClassVar[bool] = True

    def bytes_of(self, path: str) -> Mapping[Path, bytes]:
        """Read the image file."""
        file = self._file(path)
        return {file: file.read_bytes()}

    def pixels_of(self, path: str, image_size: int) -> Pixels:
        """Decode the image file as (3, image_size, image_size)."""
        return decode(self._file(path), image_size, self._page)

    def pixels_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of an RGB square."""
        return (3, image_size, image_size)

    def look_at(self, files: Mapping[Path, bytes]) -> Facts:
        """Decode the image file to its end."""
        (contents,) = files.values()
        return look_at_file(contents, self._page)

    def identity(self) -> tuple[object, ...]:
        """Return kind, folder and page: patterns and tables change labels, never pixels."""
        return self.source.layout["kind"], data_folder(self.source.folder), *self.choice()

    def choice(self) -> tuple[object, ...]:
        """Return the page of each file that the study declares, or None."""
        return (self._page,)

    @property
    def _page(self) -> int | None:
        page: int | None = self.source.layout.get("page")
        return page

    def _file(self, path: str) -> Path:
        return (self.source.folder or Path()) / path
