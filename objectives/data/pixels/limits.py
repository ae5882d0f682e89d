"""The limit on the size of an image: whole slides and images over 100 megapixels are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO

from PIL import Image

from objectives.contract import DataError

TILE_WIDTH = 322  # the tag that a TIFF of tiles has (TIFF 6.0, section 15)
MOST_PIXELS = 100_000_000  # 300 MB as RGB, and as much again to resize it


@contextmanager
def open_image(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """Open an image of any size with Pillow, whose own limit is lifted meanwhile.

    Pillow warns of 89 megapixels and refuses 179 before the header can be read; `check_header` and
    `Facts.is_huge` judge the header instead.
    """
    with _no_limit, Image.open(file) as image:
        yield image


def check_header(image: Image.Image, path: Path) -> None:
    """Refuse an image that is too large to decode as a whole, by its header alone.

    Raises DataError for over 100 megapixels and for a whole slide.
    """
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise too_large(path, f"{width} x {height} pixels, over 100 megapixels")
    if is_pyramid(image):
        raise too_large(path, "a whole-slide TIFF, tiles at several magnifications")


def is_pyramid(image: Image.Image) -> bool:
    """Whether an opened image is a tiled TIFF with more than one page, as slides are."""
    tags = getattr(image, "tag_v2", {})
    return TILE_WIDTH in tags and getattr(image, "n_frames", 1) > 1


def too_large(path: Path, found: str) -> DataError:
    """Return the error that refuses a file: the kind of file, and how to cut it into tiles."""
    return DataError(
        f"{path}: {found}",
        fix=(
            "cut it into tiles first, for example with `vips dzsave` or OpenSlide's "
            "DeepZoomGenerator, and give the folder of the tiles"
        ),
    )


class _NoLimit:
    """Lifts Pillow's limit, one number for the whole process, while any thread has an image open.

    The first thread to enter keeps the number and the last one to leave puts it back: threads that
    each kept and restored it would restore one another's None.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0
        self._limit: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._open:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._open += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open -= 1
            if not self._open:
                Image.MAX_IMAGE_PIXELS = self._limit


_no_limit = _NoLimit()
