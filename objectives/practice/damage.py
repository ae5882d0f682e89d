"""Damage to single image files: copied, cut off, saved by other programs."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from PIL.ExifTags import Base

from objectives.practice.drawing import Drawing, encoded

HUGE_SIDE = 10_001  # pixels: just over 100 million


def cut_off(drawing: Drawing) -> Drawing:
    """Cut off the second half of the file."""
    return _changed(drawing, lambda contents: contents[: len(contents) // 2])


def emptied(drawing: Drawing) -> Drawing:
    """Leave nothing in the file."""
    return _changed(drawing, lambda _: b"")


def deepened(drawing: Drawing) -> Drawing:
    """Save the image as a grey PNG of 16 bits, as microscopes and detectors do."""

    def deepen(contents: bytes) -> bytes:
        grey = np.asarray(_opened(contents).convert("L"), dtype=np.uint16)
        return encoded(Image.fromarray(grey * 257), "png")

    return replace(_changed(drawing, deepen), path=_as_png(drawing.path))


def flipped(drawing: Drawing) -> Drawing:
    """Mirror the image left to right."""
    return _changed(drawing, _saved_again(ImageOps.mirror))


def brightened(drawing: Drawing) -> Drawing:
    """Brighten the image a little, as an editor does."""
    return _changed(
        drawing, _saved_again(lambda image: ImageEnhance.Brightness(image).enhance(1.06))
    )


def enlarged(drawing: Drawing, percent: int) -> Drawing:
    """Scale the image to this percentage, as another scanner would save it."""

    def enlarge(image: Image.Image) -> Image.Image:
        return image.resize((image.width * percent // 100, image.height * percent // 100))

    return _changed(drawing, _saved_again(enlarge))


def in_mode(drawing: Drawing, mode: str) -> Drawing:
    """Save the image in a mode of Pillow's, or "turned": upright only by its Exif tag."""

    def turn(contents: bytes) -> bytes:
        image = _opened(contents)
        exif = Image.Exif()
        exif[Base.Orientation] = 6  # turn it clockwise to see it upright
        turned = image.transpose(Image.Transpose.ROTATE_90)
        return encoded(turned, str(image.format), exif=exif)

    if mode == "turned":
        return _changed(drawing, turn)
    return _changed(drawing, _saved_again(lambda image: image.convert(mode)))


def modes_of(path: str) -> tuple[str, ...]:
    """List the modes for `in_mode` in which a file of this kind can be saved."""
    kind = PurePosixPath(path).suffix
    return ("L", "CMYK", "turned") if kind == ".jpg" else ("L", "P", "RGBA", "turned")


def huge(drawing: Drawing) -> Drawing:
    """Replace the image by a white one of 100 megapixels, a few kilobytes on disk."""
    return replace(drawing, draw=_white, path=_as_png(drawing.path))


@cache  # a second of drawing and 100 MB of memory
def _white() -> bytes:
    return encoded(Image.new("1", (HUGE_SIDE, HUGE_SIDE), 1), "png")


def _changed(drawing: Drawing, change: Callable[[bytes], bytes]) -> Drawing:
    draw = drawing.draw
    return replace(drawing, draw=draw and (lambda: change(draw())))


def _saved_again(change: Callable[[Image.Image], Image.Image]) -> Callable[[bytes], bytes]:
    def save(contents: bytes) -> bytes:
        image = _opened(contents)
        return encoded(change(image), str(image.format))

    return save


def _opened(contents: bytes) -> Image.Image:
    return Image.open(BytesIO(contents))


def _as_png(path: str) -> str:
    return PurePosixPath(path).with_suffix(".png").as_posix()
