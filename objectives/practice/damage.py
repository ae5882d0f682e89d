"""What happens to an image file on its way: copied, cut off, saved by other programs."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from objectives.practice.drawing import Drawing, encoded

HUGE_SIDE = 10_001  # pixels: just over 100 million
ORIENTATION = 0x0112  # Exif tag; 6: turn it clockwise to see it upright


def cut_off(drawing: Drawing) -> Drawing:
    """Give the file without its second half."""
    return _changed(drawing, lambda contents: contents[: len(contents) // 2])


def emptied(drawing: Drawing) -> Drawing:
    """Give the file without contents."""
    return _changed(drawing, lambda _: b"")


def deepened(drawing: Drawing) -> Drawing:
    """Give the image as a grey PNG of 16 bits, as microscopes and detectors save them."""

    def deepen(contents: bytes) -> bytes:
        grey = np.asarray(_opened(contents).convert("L"), dtype=np.uint16)
        return encoded(Image.fromarray(grey * 257), "png")

    return replace(_changed(drawing, deepen), path=_as_png(drawing.path))


def flipped(drawing: Drawing) -> Drawing:
    """Give the image mirrored left to right."""
    return _changed(drawing, _saved_again(ImageOps.mirror))


def brightened(drawing: Drawing) -> Drawing:
    """Give the image a little brighter, as an editor saves it."""
    return _changed(
        drawing, _saved_again(lambda image: ImageEnhance.Brightness(image).enhance(1.06))
    )


def enlarged(drawing: Drawing, percent: int) -> Drawing:
    """Give the image so much larger, as another scanner saves it."""

    def enlarge(image: Image.Image) -> Image.Image:
        return image.resize((image.width * percent // 100, image.height * percent // 100))

    return _changed(drawing, _saved_again(enlarge))


def in_mode(drawing: Drawing, mode: str) -> Drawing:
    """Give the image in a mode of Pillow's, or "turned": upright only by its Exif tag."""

    def turn(contents: bytes) -> bytes:
        image = _opened(contents)
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        turned = image.transpose(Image.Transpose.ROTATE_90)
        return encoded(turned, str(image.format), exif=exif)

    if mode == "turned":
        return _changed(drawing, turn)
    return _changed(drawing, _saved_again(lambda image: image.convert(mode)))


def modes_of(path: str) -> tuple[str, ...]:
    """Give the ways of `in_mode` that a file of this kind can be saved in."""
    kind = PurePosixPath(path).suffix
    return ("L", "CMYK", "turned") if kind == ".jpg" else ("L", "P", "RGBA", "turned")


def huge(drawing: Drawing) -> Drawing:
    """Give a white image of 100 megapixels in its place, a few kilobytes on disk."""
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
