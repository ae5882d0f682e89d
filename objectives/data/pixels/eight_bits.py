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
TWELVE, MOST_OF_TWELVE = 12, 4095
UNSIGNED, SIGNED = 1, 2  # values of SampleFormat in TIFF 6.0
WHITE_IS_ZERO = 0  # value of PhotometricInterpretation
UPRIGHT = 1  # value of Orientation
RANGE_FIX = "save it as 8 bits, with black and white where you want them"
CHANNELS_FIX = "save each channel as a file, or all of them as RGB"


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

    Pillow turns a scale from white to black round, but not that of 16 bits, and reads 12 bits as
    the lower ones of 16. Raises UnfitImage for numbers that it takes for others.
    """
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    kinds, depths = tags.get(Base.SampleFormat, (UNSIGNED,)), tags.get(Base.BitsPerSample, (8,))
    bits = bits_of(image)
    if max(depths) > bits == 8:  # planes of 16 bits, each byte taken for a pixel
        raise UnfitImage(f"a plane of {max(depths)} bits per channel", fix=RANGE_FIX)
    channels = tags.get(Base.SamplesPerPixel, 1)
    if channels > 1 and image.mode == "L":
        raise UnfitImage(
            f"{channels} channels that are no colours, of which the first would be read",
            fix=CHANNELS_FIX,
        )
    if SIGNED in kinds and image.mode in ("L", "RGB"):  # -1 of eight bits for 255
        raise UnfitImage("signed integers of 8 bits", fix=RANGE_FIX)
    if UNSIGNED in kinds and image.mode == "I" and tags:  # 2^31 for -2^31
        _check_range(np.asarray(image).view(np.uint32))
    if bits == TWELVE:
        return _with_values(image, np.asarray(image) / MOST_OF_TWELVE * MOST)
    if image.mode == "I;16" and tags.get(Base.PhotometricInterpretation) == WHITE_IS_ZERO:
        return _with_values(image, MOST - np.asarray(image))
    return image


def bits_of(image: Image.Image) -> int:
    """Return the bits per channel: 8, 12 or 16, even where Pillow reads the upper eight only."""
    tiles = getattr(image, "tile", ())
    arguments = tiles[0].args if tiles else ""
    stored_as = str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)
    if stored_as == "I;12":
        return TWELVE
    return 16 if image.mode.startswith(("I", "F")) or ";16" in stored_as else 8


def _with_values(image: Image.Image, values: npt.NDArray[Any]) -> Image.Image:
    """Return an image of 16 bits with other values and the same orientation."""
    changed = Image.fromarray(values.round().astype(np.uint16))
    exif = Image.Exif()
    exif[Base.Orientation] = image.getexif().get(Base.Orientation, UPRIGHT)
    changed.info["exif"] = exif.tobytes()
    return changed


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
