"""Decode an image file as pixels: upright, RGB, eight bits, square. No torch here."""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from objectives.contract import DataError
from objectives.data.pixels.limits import check_header, open_image

Pixels = npt.NDArray[np.uint8]  # (3, size, size), of a volume (modalities, size, size, size)
WHITE = (255, 255, 255)
# Pillow raises SyntaxError for a broken header, ValueError for odd contents, and RuntimeError for a
# broken AVIF or an unknown DDS, whatever the file's extension. It raises ValueError or RuntimeError
# for an image that Exif turns and whose other Exif tags make no sense.
UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, TypeError, struct.error)


def decode(path: Path, image_size: int) -> Pixels:
    """Decode one image file as (3, image_size, image_size): the whole image, not a crop of it.

    Raises DataError with the path when the file cannot be read.
    """
    try:
        with open_image(path) as image:
            check_header(image, path)
            # JPEG decodes at 1/2, 1/4 or 1/8 where that is enough: 12 megapixels in a third.
            image.draft(None, (2 * image_size, 2 * image_size))
            return square(_rgb(ImageOps.exif_transpose(image)), image_size)
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as an image ({error})", fix="replace or remove it"
        ) from error


def eight_bits(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255, the same for every image, so that brightness keeps its meaning.

    Raises ValueError for floats and for values outside this range: their scale is unknown.
    """
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ValueError(f"mode {image.mode} with values outside 0..65535, not 8 or 16 bits")
    return Image.fromarray((values / 257).round().astype(np.uint8))


def square(image: Image.Image, image_size: int) -> Pixels:
    """Resize an RGB image to a square, as (3, image_size, image_size)."""
    resized = image.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: transparent on white, 16 bits scaled by 1/257 and never clipped."""
    if image.mode.startswith(("I", "F")):
        image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image)
    return image.convert("RGB")
