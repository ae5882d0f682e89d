"""Bring any mode of Pillow's to eight bits a channel, without transparency."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from objectives.data.pixels.unfit import UnfitImage

WHITE = (255, 255, 255)
MOST = 65535  # of 16 bits
UNSIGNED, SIGNED = 1, 2  # values of SampleFormat in TIFF 6.0
WHITE_IS_ZERO = 0  # value of PhotometricInterpretation
UPRIGHT = 1  # value of Orientation
RANGE_FIX = "save it as 8 bits, with black and white where you want them"


def as_eight_bits(image: Image.Image) -> Image.Image:
    """Return an image in L, RGB or another mode that converts to RGB without loss.

    16 bits are scaled by 1/257 and never clipped; transparent pixels are put on white. Raises
    UnfitImage for numbers whose scale is unknown.
    """
    if image.mode.startswith(("I", "F")):
        image = _scaled(image)
    if image.mode == "LAB":
        image = _from_lab(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image)
    return image.convert("RGB") if image.mode in ("P", "RGBA") else image


def with_true_numbers(image: Image.Image) -> Image.Image:
    """Return a TIFF whose numbers mean what its tags say; other images as they are.

    Pillow turns a scale from white to black round, but not that of 16 bits. Raises UnfitImage for
    numbers that it takes for others.
    """
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    kinds = tags.get(Base.SampleFormat, (UNSIGNED,))
    if SIGNED in kinds and image.mode in ("L", "RGB"):  # -1 of eight bits for 255
        raise UnfitImage("signed integers of 8 bits", fix=RANGE_FIX)
    if UNSIGNED in kinds and image.mode == "I" and tags:  # 2^31 for -2^31
        _check_range(np.asarray(image).view(np.uint32))
    if image.mode == "I;16" and tags.get(Base.PhotometricInterpretation) == WHITE_IS_ZERO:
        turned = Image.fromarray(MOST - np.asarray(image))
        exif = Image.Exif()
        exif[Base.Orientation] = image.getexif().get(Base.Orientation, UPRIGHT)
        turned.info["exif"] = exif.tobytes()
        return turned
    return image


def is_deep(image: Image.Image) -> bool:
    """Whether a channel has over 8 bits, even where Pillow reads the upper eight only."""
    if image.mode.startswith(("I", "F")):
        return True
    tiles = getattr(image, "tile", ())
    arguments = tiles[0].args if tiles else ""
    stored_as = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return ";16" in str(stored_as)


def _scaled(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255, the same for every image, so that brightness keeps its meaning."""
    values = np.asarray(image)
    if image.mode == "F":
        known = values[np.isfinite(values)]
        ends = f"from {known.min():g} to {known.max():g}" if len(known) else "that are all NaN"
        raise UnfitImage(f"floating-point pixels {ends}, of unknown scale", fix=RANGE_FIX)
    _check_range(values)
    return Image.fromarray((values / 257).round().astype(np.uint8))


def _check_range(values: npt.NDArray[Any]) -> None:
    if values.min() < 0 or values.max() > MOST:
        raise UnfitImage(
            f"integers from {values.min():,} to {values.max():,}, outside 0..65535", fix=RANGE_FIX
        )


def _from_lab(image: Image.Image) -> Image.Image:
    """Convert CIE Lab to sRGB by LittleCMS; Pillow's own `convert` cannot."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # only in place is nothing returned
    return converted
