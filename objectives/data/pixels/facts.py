"""The facts about one image: its errors, its form, and the frequencies that identify its copies."""

import io
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from objectives.data.pixels.decode import UNREADABLE, eight_bits
from objectives.data.pixels.limits import MOST_PIXELS, is_pyramid, open_image

SIDE, LOWEST = 32, 8  # pHash: the 8 x 8 lowest frequencies of the image at 32 x 32
ORIENTATION = 0x0112  # Exif tag; 1: upright

Grey = npt.NDArray[Any]  # (32, 32)


class Facts(NamedTuple):
    """The facts about one image, as it lies in its file, before Exif turns it upright.

    error: the reason why it cannot be read; "" where it can.
    width, height: in pixels; of a volume its first two axes, in voxels.
    mode: Pillow's name of the mode; of a volume its data type.
    bits: per channel; 0 of a volume.
    is_turned: whether Exif says that the image must be turned or mirrored to be upright.
    frequencies: see `lowest_frequencies`; empty where no pixels were decoded.
    """

    error: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    bits: int = 0
    is_turned: bool = False
    frequencies: bytes = b""

    @property
    def is_huge(self) -> bool:
        """Whether the image is too large to decode as a whole."""
        return self.width * self.height > MOST_PIXELS


def look_at_file(contents: bytes) -> Facts:
    """Decode an image file to its end: only there a truncated file fails.

    A whole slide, and any image of over 100 megapixels, is judged by its header alone.
    """
    if not contents:
        return Facts(error="empty")
    facts = Facts()
    try:
        with open_image(io.BytesIO(contents)) as image:
            facts = _form(image)
            if facts.is_huge:
                return facts
            if is_pyramid(image):
                return facts._replace(error="a whole-slide TIFF, tiles at several magnifications")
            # JPEG decodes its brightness alone, at 1/2 to 1/8, and is still read to its end.
            image.draft("L", (2 * SIDE, 2 * SIDE))
            is_turned = image.getexif().get(ORIENTATION, 1) != 1
            if is_turned:
                ImageOps.exif_transpose(image)  # as training does; it may fail
            return facts._replace(is_turned=is_turned, frequencies=_frequencies(image))
    except UnidentifiedImageError:  # Pillow's own message names a buffer, not the file
        return Facts(error="no image of a known format")
    except UNREADABLE as error:
        return facts._replace(error=str(error) or type(error).__name__)


def look_at_pixels(image: Image.Image) -> Facts:
    """Examine an image of eight bits per channel that has no file of its own."""
    width, height = image.size
    frequencies = _frequencies(image)
    return Facts(width=width, height=height, mode=image.mode, bits=8, frequencies=frequencies)


def lowest_frequencies(grey: Grey) -> bytes:
    """Compute the 64 lowest DCT-II coefficients of a (32, 32) image, a byte each, row by row.

    pHash takes its bits from them (Zauner 2010; imagehash.phash). A mirrored or turned image has
    the same coefficients but for their signs and positions. A byte is
    127 sgn(c) sqrt(|c| / max |c|), so that small coefficients keep their sign. The mean is left
    out, and with it the brightness.
    """
    coefficients = _COSINES @ grey.astype(np.float64) @ _COSINES.T
    coefficients[0, 0] = 0.0
    largest = np.abs(coefficients).max() or 1.0
    rooted = np.sign(coefficients) * np.sqrt(np.abs(coefficients) / largest)
    return bytes(np.rint(127 * rooted).astype(np.int8).tobytes())


# scipy.fft.dctn returns the same and takes .4 s to import.
_COSINES = np.cos(np.pi * np.outer(np.arange(LOWEST), np.arange(SIDE) + 0.5) / SIDE)


def _form(image: Image.Image) -> Facts:
    width, height = image.size
    return Facts(width=width, height=height, mode=image.mode, bits=16 if _is_deep(image) else 8)


def _is_deep(image: Image.Image) -> bool:
    """Whether a channel has over 8 bits, even where Pillow reads the upper eight only."""
    if image.mode.startswith(("I", "F")):
        return True
    tiles = getattr(image, "tile", ())
    arguments = tiles[0].args if tiles else ""
    stored_as = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return ";16" in str(stored_as)


def _frequencies(image: Image.Image) -> bytes:
    image.load()
    if image.mode.startswith(("I", "F")):  # as training does, which refuses some
        image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return lowest_frequencies(np.asarray(grey))
