"""Open one page of an image file, whatever its format and ending."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from PIL import Image, UnidentifiedImageError

from objectives.data.pixels.dicom import dicom_picture
from objectives.data.pixels.eight_bits import bits_of, with_true_numbers
from objectives.data.pixels.formats import DICOM, HEAD, format_of
from objectives.data.pixels.limits import is_pyramid, open_image
from objectives.data.pixels.misnamed import misnamed
from objectives.data.pixels.pages import turn_to_page
from objectives.data.pixels.picture import Picture


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
        yield dicom_picture(file, page)
        return
    with ExitStack() as stack:
        try:
            image = stack.enter_context(open_image(file))
        except UnidentifiedImageError as error:
            raise misnamed(file, head) from error
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
        bits=bits_of(image),
        is_slide=is_slide,
        image=lambda: with_true_numbers(image),
    )
