"""Decode an image file as pixels: upright, RGB, eight bits, square. No torch here."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from objectives.contract import DataError
from objectives.data.pixels.eight_bits import as_eight_bits
from objectives.data.pixels.limits import check_form
from objectives.data.pixels.opening import open_picture
from objectives.data.pixels.pages import check_page
from objectives.data.pixels.unfit import REPLACE, UNREADABLE, UnfitImage

Pixels = npt.NDArray[np.uint8]  # (3, size, size), of a volume (modalities, size, size, size)


def decode(path: Path, image_size: int, page: int | None = None) -> Pixels:
    """Decode one image file as (3, image_size, image_size): the whole image, not a crop of it.

    page: of a file of several pages, from 1 on.

    Raises DataError with the path when the file cannot be read.
    """
    try:
        with path.open("rb") as file, open_picture(file, page) as picture:
            check_form(path, picture.width, picture.height, is_slide=picture.is_slide)
            check_page(page, picture.pages)
            image = picture.image()
            # JPEG decodes at 1/2, 1/4 or 1/8 where that is enough: 12 megapixels in a third.
            image.draft(None, (2 * image_size, 2 * image_size))
            upright = as_eight_bits(ImageOps.exif_transpose(image))
            return square(upright.convert("RGB"), image_size)
    except UnfitImage as error:
        raise DataError(
            f"{path}: cannot be read as an image ({error.found})", fix=error.fix
        ) from error
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an image ({error})", fix=REPLACE) from error


def square(image: Image.Image, image_size: int) -> Pixels:
    """Resize an RGB image to a square, as (3, image_size, image_size)."""
    resized = image.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))
