"""The questions that every data layout answers; one class per layout implements them."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from objectives.data.layouts.listing import Listing
from objectives.data.pixels.decode import Pixels
from objectives.data.pixels.facts import Facts


class Layout(Protocol):
    """How the images of one data source are found and read.

    A path is the name of an image in the manifest. Every method but `find_images` may be called
    from several threads at once.
    """

    takes_group: ClassVar[bool]  # whether a study may declare a group for this layout

    def find_images(self) -> Listing:
        """List every image with its label, its group and the split that the layout gives it.

        Raises DataError when the folder does not hold the files of this layout.
        """
        ...

    def bytes_of(self, path: str) -> Mapping[Path, bytes]:
        """Read the bytes that must be equal on all machines, by file and in a fixed order.

        These are whole files, or the pixels of one image where many images share a file. Raises
        OSError or DataError for an image that cannot be read.
        """
        ...

    def pixels_of(self, path: str, image_size: int) -> Pixels:
        """Decode one image in the shape of `pixels_shape`; DataError where that fails."""
        ...

    def pixels_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of the array that `pixels_of` returns."""
        ...

    def look_at(self, files: Mapping[Path, bytes]) -> Facts:
        """Examine one image, given its files as `bytes_of` returns them; nothing is read again."""
        ...

    def identity(self) -> tuple[object, ...]:
        """Return everything that decides which bytes a path means on this machine.

        The values are plain JSON. Facts about an image are kept by identity and path.
        """
        ...

    def choice(self) -> tuple[object, ...]:
        """Return the part of each image's bytes that the study chooses, as the page of a file.

        The values are plain JSON. Decoded images are kept by it.
        """
        ...


def data_folder(folder: Path | None) -> str:
    """Return the folder of a data source as part of an identity; "" for packaged data."""
    return str(folder.resolve()) if folder else ""
