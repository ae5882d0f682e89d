"""One picture of a file, whatever its format: its form by the header, and its pixels."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page of an opened file.

    pages: how many the file has.
    width, height: in pixels.
    mode: Pillow's name of the mode.
    bits: per channel, 8 or more.
    is_slide: whether it is a whole slide, tiles at several magnifications.
    image: returns the page; Pillow decodes its pixels when they are asked for.
    """

    pages: int
    width: int
    height: int
    mode: str
    bits: int
    is_slide: bool
    image: Callable[[], Image.Image]
