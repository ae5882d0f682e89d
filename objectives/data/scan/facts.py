"""What one look at an image tells: whether it can be read, its form, and how to know its copies."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from objectives.contract import DataError, DataSource
from objectives.data.layouts.brats import declared_modalities, modality_files
from objectives.data.layouts.cifar10 import SHAPE
from objectives.data.pixels.decode import UNREADABLE, eight_bits
from objectives.data.pixels.limits import MOST_PIXELS, is_pyramid
from objectives.data.pixels.volumes import decode_volume

SIDE, LOWEST = 32, 8  # pHash: the 8 x 8 lowest frequencies of the image at 32 x 32
ORIENTATION = 0x0112  # Exif tag; 1: upright

Pixels = npt.NDArray[Any]  # grey, (32, 32)


class Facts(NamedTuple):
    """What is known of one image. error: why it cannot be read, else "".

    width, height, mode: as the file says, before anything is turned; of a volume its first two
    axes and its type. bits: of each channel, 0 of a volume. is_turned: whether Exif says that it
    lies on its side. frequencies: see `lowest_frequencies`; empty where no pixels were looked at.
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
        """Say whether it has more pixels than anybody should decode at once."""
        return self.width * self.height > MOST_PIXELS


def looker(source: DataSource) -> Callable[[str, bytes], Facts]:
    """Give the function from a path and its contents to the facts, safe to call from threads."""
    kind, folder = source.layout["kind"], source.folder or Path()
    if kind == "digits":
        return lambda _, contents: _look_at_pixels(_scan(contents))
    if kind == "cifar10":
        return lambda _, contents: _look_at_pixels(_photograph(contents))
    if kind == "brats":
        modalities = declared_modalities(source)
        return lambda path, _: _look_at_volumes(modality_files(folder, path, modalities))
    return lambda _, contents: look_at_file(contents)


def look_at_file(contents: bytes) -> Facts:
    """Decode an image file to its end, which is where a truncated one is found out.

    One of over 100 megapixels, and a whole slide, is known by its header alone.
    """
    if not contents:
        return Facts(error="empty")
    facts = Facts()
    try:
        with Image.open(io.BytesIO(contents)) as image:
            facts = _form(image)
            if facts.is_huge:
                return facts
            if is_pyramid(image):
                return facts._replace(error="a whole-slide TIFF, tiles at several magnifications")
            # JPEG gives its brightness alone, at 1/2 to 1/8, and is read to its end all the same.
            image.draft("L", (2 * SIDE, 2 * SIDE))
            is_turned = image.getexif().get(ORIENTATION, 1) != 1
            if is_turned:
                ImageOps.exif_transpose(image)  # training does, and it may fail
            return facts._replace(is_turned=is_turned, frequencies=_frequencies(image))
    except UnidentifiedImageError:  # its message names a buffer
        return Facts(error="no image of a known format")
    except UNREADABLE as error:
        return facts._replace(error=str(error) or type(error).__name__)


def lowest_frequencies(grey: Pixels) -> bytes:
    """Give the 64 lowest DCT-II coefficients of a (32, 32) image, a byte each, row by row.

    pHash takes its bits of them (Zauner 2010; imagehash.phash): an image mirrored or turned has the
    same but for signs and places. A byte is 127 sgn(c) sqrt(|c| / max |c|), so that what is faint
    keeps its sign; the mean is left out, as is, with it, the brightness.
    """
    coefficients = _COSINES @ grey.astype(np.float64) @ _COSINES.T
    coefficients[0, 0] = 0.0
    largest = np.abs(coefficients).max() or 1.0
    rooted = np.sign(coefficients) * np.sqrt(np.abs(coefficients) / largest)
    return bytes(np.rint(127 * rooted).astype(np.int8).tobytes())


# scipy.fft.dctn gives the same and takes .4 s to import.
_COSINES = np.cos(np.pi * np.outer(np.arange(LOWEST), np.arange(SIDE) + 0.5) / SIDE)


def _form(image: Image.Image) -> Facts:
    return Facts("", *image.size, image.mode, 16 if _is_deep(image) else 8)


def _is_deep(image: Image.Image) -> bool:
    """Say whether a channel has over 8 bits, also where Pillow reads the upper eight alone."""
    if image.mode.startswith(("I", "F")):
        return True
    tiles = getattr(image, "tile", ())
    arguments = tiles[0].args if tiles else ""
    stored_as = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return ";16" in str(stored_as)


def _frequencies(image: Image.Image) -> bytes:
    image.load()
    if image.mode.startswith(("I", "F")):  # as for training, which refuses some
        image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return lowest_frequencies(np.asarray(grey))


def _look_at_pixels(image: Image.Image) -> Facts:
    return Facts("", *image.size, image.mode, 8, frequencies=_frequencies(image))


def _scan(contents: bytes) -> Image.Image:
    """Give a digit of 8 x 8 values from 0 to 16."""
    return Image.fromarray(np.frombuffer(contents, np.uint8).reshape(8, 8) * 15)


def _photograph(contents: bytes) -> Image.Image:
    planes = np.frombuffer(contents, np.uint8).reshape(SHAPE)
    return Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))


def _look_at_volumes(paths: Sequence[Path]) -> Facts:
    """Read a patient as training does; a copy is known by the middle slice of the first volume."""
    try:
        cube = decode_volume(paths, SIDE)
    except (OSError, DataError) as error:
        return Facts(error=str(error).rpartition("; ")[0] or str(error))  # the rule says the fix
    import nibabel

    volume: Any = nibabel.load(paths[0])  # its header
    width, height = volume.shape[:2]
    frequencies = lowest_frequencies(cube[0, :, :, SIDE // 2])
    return Facts("", width, height, str(volume.get_data_dtype()), frequencies=frequencies)
