"""Images without content: every pixel that training would see has the same value."""

from enum import StrEnum

import numpy as np
from PIL import Image

SPREAD = "spread"  # in the `info` of an image: highest less lowest value in the file


class Blank(StrEnum):
    """The ways in which an image has no content; the words follow "is"."""

    HIDDEN = "transparent everywhere"  # and so read as white, whatever its colours are
    BLACK = "black everywhere"
    WHITE = "white everywhere"
    PLAIN = "of one colour everywhere"
    WINDOWED = "of one colour everywhere after the file's own window"
    FAINT = "of over 8 bits, of which scaling to 8 leaves two levels or fewer"


def find_blank(stored: Image.Image, shown: Image.Image, bits: int = 8) -> str:
    """Return the way in which an image is blank, one of `Blank`; "" where it has content.

    stored: the image as its file has it.
    shown: the same with eight bits and without transparency, as training reads it.
    bits: per channel, in the file.

    Nearly white is content, a single grey level of noise too. Only where transparency or scaling
    has taken the content away, two neighbouring levels count as one.
    """
    ends = _ends(shown)
    spread = max(high - low for low, high in ends)
    if spread > 1:
        return ""
    if stored.has_transparency_data and _most_opaque(stored) <= 1:
        return Blank.HIDDEN
    if bits > 8 and stored.info.get(SPREAD, np.ptp(np.asarray(stored))) > 0:
        return Blank.FAINT
    if spread:
        return ""
    if stored.info.get(SPREAD, 0) > 0:  # only a window makes one colour of several values
        return Blank.WINDOWED
    values = {value for end in ends for value in end}
    return {frozenset({0}): Blank.BLACK, frozenset({255}): Blank.WHITE}.get(
        frozenset(values), Blank.PLAIN
    )


def _ends(image: Image.Image) -> list[tuple[int, int]]:
    """Return the lowest and highest value of each channel."""
    image = image if image.mode in ("L", "RGB") else image.convert("RGB")
    return [(each[0], each[-1]) for each in np.reshape(image.getextrema(), (-1, 2)).tolist()]


def _most_opaque(image: Image.Image) -> int:
    return int(np.asarray(image.convert("RGBA").getchannel("A")).max())
