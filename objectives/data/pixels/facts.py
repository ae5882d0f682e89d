"""The facts about one image: its errors, its form, and the frequencies that identify its copies."""

import io
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from PIL.ExifTags import Base

from objectives.data.pixels.blanks import find_blank
from objectives.data.pixels.eight_bits import UPRIGHT, as_eight_bits
from objectives.data.pixels.limits import CUT_INTO_TILES, MOST_PIXELS, SLIDE
from objectives.data.pixels.opening import open_picture
from objectives.data.pixels.pages import has_page
from objectives.data.pixels.unfit import REPLACE, UNREADABLE, UnfitImage

BLANK = 1e-6  # a coefficient below is the rounding of a blank image, which is like no other
SIDE, LOWEST = 32, 8  # pHash: the 8 x 8 lowest frequencies of the image at 32 x 32

Grey = npt.NDArray[Any]  # (32, 32)


class Facts(NamedTuple):
    """The facts about one image, as it lies in its file, before Exif turns it upright.

    error: the reason why it cannot be read; "" where it can.
    fix: the way out of the error; "" without an error.
    width, height: in pixels; of a volume its first two axes, in voxels.
    mode: Pillow's name of the mode; of a volume its data type.
    bits: per channel; 0 of a volume.
    pages: the number of pages or frames in the file.
    blank: the way in which it has no content, one of `Blank`; "" where it has some.
    is_turned: whether Exif says that the image must be turned or mirrored to be upright.
    has_background: whether a volume's brain is surrounded by one value; True of an image.
    frequencies: see `lowest_frequencies`; empty where no pixels were decoded.
    """

    error: str = ""
    fix: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    bits: int = 0
    pages: int = 1
    blank: str = ""
    is_turned: bool = False
    has_background: bool = True
    frequencies: bytes = b""

    @property
    def is_huge(self) -> bool:
        """Whether the image is too large to decode as a whole."""
        return self.width * self.height > MOST_PIXELS


def look_at_file(contents: bytes, page: int | None = None) -> Facts:
    """Decode an image file to its end: only there a truncated file fails.

    A whole slide, and any image of over 100 megapixels, is judged by its header alone, and so is a
    file whose page is not clear.

    page: of a file of several pages, from 1 on.
    """
    facts = Facts()
    try:
        with open_picture(io.BytesIO(contents), page) as picture:
            facts = Facts(
                width=picture.width,
                height=picture.height,
                mode=picture.mode,
                bits=picture.bits,
                pages=picture.pages,
            )
            if picture.is_slide:
                return facts._replace(error=SLIDE, fix=CUT_INTO_TILES)
            if facts.is_huge or not has_page(page, facts.pages):
                return facts
            image = picture.image()
            # JPEG decodes its brightness alone, at 1/2 to 1/8, and is still read to its end.
            image.draft("L", (2 * SIDE, 2 * SIDE))
            is_turned = image.getexif().get(Base.Orientation, UPRIGHT) != UPRIGHT
            if is_turned:
                ImageOps.exif_transpose(image)  # as training does; it may fail
            shown = _load(image)
            blank = find_blank(image, shown, facts.bits)
            frequencies = _frequencies(shown)
        if blank and shown.size != (facts.width, facts.height):
            blank = _blank_in_full(contents, page)
        return facts._replace(blank=blank, is_turned=is_turned, frequencies=frequencies)
    except UnfitImage as error:
        return facts._replace(error=error.found, fix=error.fix)
    except UNREADABLE as error:
        return facts._replace(error=str(error) or type(error).__name__, fix=REPLACE)


def look_at_pixels(image: Image.Image) -> Facts:
    """Examine an image of eight bits per channel that has no file of its own."""
    width, height = image.size
    return Facts(
        width=width,
        height=height,
        mode=image.mode,
        bits=8,
        blank=find_blank(image, image),
        frequencies=_frequencies(image),
    )


def lowest_frequencies(grey: Grey) -> bytes:
    """Compute the 64 lowest DCT-II coefficients of a (32, 32) image, a byte each, row by row.

    pHash takes its bits from them (Zauner 2010; imagehash.phash). A mirrored or turned image has
    the same coefficients but for their signs and positions. A byte is
    127 sgn(c) sqrt(|c| / max |c|), so that small coefficients keep their sign. The mean is left
    out, and with it the brightness.
    """
    coefficients = _COSINES @ grey.astype(np.float64) @ _COSINES.T
    coefficients[0, 0] = 0.0
    largest = np.abs(coefficients).max()
    if largest < BLANK:
        return bytes(LOWEST**2)
    rooted = np.sign(coefficients) * np.sqrt(np.abs(coefficients) / largest)
    return bytes(np.rint(127 * rooted).astype(np.int8).tobytes())


# scipy.fft.dctn returns the same and takes .4 s to import.
_COSINES = np.cos(np.pi * np.outer(np.arange(LOWEST), np.arange(SIDE) + 0.5) / SIDE)


def _load(image: Image.Image) -> Image.Image:
    image.load()
    return as_eight_bits(image)


def _frequencies(image: Image.Image) -> bytes:
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return lowest_frequencies(np.asarray(grey))


def _blank_in_full(contents: bytes, page: int | None) -> str:
    """Look at every pixel of a JPEG that is blank at an eighth of its size and without colour."""
    with open_picture(io.BytesIO(contents), page) as picture:
        image = picture.image()
        return find_blank(image, _load(image), picture.bits)
