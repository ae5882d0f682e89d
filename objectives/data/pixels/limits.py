"""Open images of any size, and refuse whole slides and images over 100 megapixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Any

from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base

from objectives.contract import DataError
from objectives.data.pixels.formats import PILLOW_FORMATS

SLIDE = "a whole-slide scan, tiles at several magnifications"
CUT_INTO_TILES = (
    "cut it into tiles first, for example with `vips dzsave` or OpenSlide's DeepZoomGenerator, and "
    "give the folder of the tiles"
)
MOST_PIXELS = 100_000_000  # 300 MB as RGB, and as much again to resize it


@contextmanager
def open_image(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """Open an image of any size with Pillow, whose own limits are lifted meanwhile.

    Pillow warns of 89 megapixels and refuses 179 before the header can be read; `check_form` and
    `Facts.is_huge` judge the header instead. It also refuses a PNG with over 1 MB of text, which
    scanners write and nobody needs for the pixels.
    """
    with _no_limits, Image.open(file, formats=PILLOW_FORMATS) as image:
        yield image


def check_form(path: Path, width: int, height: int, *, is_slide: bool) -> None:
    """Refuse an image that is too large to decode as a whole, by its header alone.

    Raises DataError for over 100 megapixels and for a whole slide.
    """
    if width * height > MOST_PIXELS:
        raise too_large(path, f"{width} x {height} pixels, over 100 megapixels")
    if is_slide:
        raise too_large(path, SLIDE)


def is_pyramid(image: Image.Image) -> bool:
    """Whether an opened image is a tiled TIFF whose pages are one picture at several sizes.

    A stack has further pages of the first one's size. The image is left at its first page.
    """
    if Base.TileWidth not in getattr(image, "tag_v2", {}):
        return False
    first, pages = image.size, getattr(image, "n_frames", 1)
    sizes = []
    for page in range(1, pages):
        image.seek(page)
        sizes.append(image.size)
    image.seek(0)
    return pages > 1 and first not in sizes


def too_large(path: Path, found: str) -> DataError:
    """Return the error that refuses a file: the kind of file, and how to cut it into tiles."""
    return DataError(f"{path}: {found}", fix=CUT_INTO_TILES)


class _NoLimits:
    """Lifts Pillow's limits, each one number for the whole process, while a thread has an image.

    The first thread to enter keeps the numbers and the last one to leave puts them back: threads
    that each kept and restored them would restore one another's.
    """

    LIFTED: tuple[tuple[Any, str, int | None], ...] = (
        (Image, "MAX_IMAGE_PIXELS", None),
        (PngImagePlugin, "MAX_TEXT_CHUNK", PngImagePlugin.MAX_TEXT_MEMORY),  # 64 MB of text in all
    )

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0
        self._kept: list[Any] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._open:
                self._kept = [getattr(module, name) for module, name, _ in self.LIFTED]
                for module, name, limit in self.LIFTED:
                    setattr(module, name, limit)
            self._open += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open -= 1
            if not self._open:
                for (module, name, _limit), kept in zip(self.LIFTED, self._kept, strict=True):
                    setattr(module, name, kept)


_no_limits = _NoLimits()
