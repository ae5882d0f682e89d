"""One picture of a file, whatever its format: its form by the header, and its pixels."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import Image, UnidentifiedImageError

from objectives.data.pixels.dicom import read_dicom
from objectives.data.pixels.eight_bits import is_deep, with_true_numbers
from objectives.data.pixels.formats import DICOM, HEAD, format_of
from objectives.data.pixels.limits import is_pyramid, open_image
from objectives.data.pixels.pages import turn_to_page
from objectives.data.pixels.strangers import stranger


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page of an opened file.

    pages: how many the file has.
    width, height: in pixels.
    mode: Pillow's name of the mode.
    bits: per channel, 8 or more.
    is_slide: whether it is a whole slide, tiles at several magnifications.
    image: returns the page; Pillow decodes its pixels when they are asked for.
    """

    pages: int
    width: int
    height: int
    mode: str
    bits: int
    is_slide: bool
    image: Callable[[], Image.Image]


@contextmanager
def open_picture(file: IO[bytes], page: int | None) -> Iterator[Picture]:
    """Open one page of an image file.

    page: from 1 on; None for the only page. Where the file has no such page, the picture is its
    first one, and `check_page` refuses it.

    Raises UnfitImage, and the exceptions in UNREADABLE for damaged files.
    """
    head = file.read(HEAD)
    file.seek(0, io.SEEK_SET)
    if format_of(head) == DICOM:
        yield _dicom_picture(file, page)
        return
    with ExitStack() as stack:
        try:
            image = stack.enter_context(open_image(file))
        except UnidentifiedImageError as error:
            raise stranger(file, head) from error
        yield _pillow_picture(image, page)


def _pillow_picture(image: Image.Image, page: int | None) -> Picture:
    is_slide = is_pyramid(image)
    pages = 1 if is_slide else turn_to_page(image, page)
    width, height = image.size
    return Picture(
        pages=pages,
        width=width,
        height=height,
        mode=image.mode,
        bits=16 if is_deep(image) else 8,
        is_slide=is_slide,
        image=lambda: with_true_numbers(image),
    )


def _dicom_picture(file: IO[bytes], page: int | None) -> Picture:
    dicom = read_dicom(file)
    return Picture(
        pages=dicom.pages,
        width=dicom.width,
        height=dicom.height,
        mode=dicom.mode,
        bits=dicom.bits,
        is_slide=dicom.is_slide,
        image=lambda: dicom.pixels(page or 1),
    )
