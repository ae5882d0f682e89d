"""The levels of a recipe's `augmentation`, with the largest changes of each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Level:
    """The changes of one level, drawn for each image by itself.

    Numbers are the largest change, either way; draws are uniform and symmetric around no change.
    """

    flip_x: bool = False  # left to right, half of the time
    flip_y: bool = False  # top to bottom, half of the time
    rotation_degrees: float = 0.0
    shift: float = 0.0  # as a share of the side
    zoom: float = 0.0  # as a share of the section that is seen
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    rand_augment: bool = False  # before all the others
    erase: bool = False  # after all the others


LEVELS: Mapping[str, Level] = {
    "none": Level(),
    # For images with an up and a left, such as digits.
    "shift": Level(rotation_degrees=10, shift=0.08, zoom=0.1),
    # For images with neither, such as tissue and skin: the shape moves and the stain varies.
    "light": Level(
        flip_x=True,
        flip_y=True,
        rotation_degrees=15,
        shift=0.05,
        zoom=0.1,
        brightness=0.15,
        contrast=0.15,
        saturation=0.15,
    ),
    # As in an anaemia study with photographs of the eye, which are never turned upside down.
    "medical": Level(
        flip_x=True,
        rotation_degrees=15,
        shift=0.1,
        zoom=0.2,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
    ),
    # As in a dermatology study of skin; its degrees and strengths are not published.
    "strong": Level(
        flip_x=True,
        flip_y=True,
        rotation_degrees=30,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
        rand_augment=True,
        erase=True,
    ),
}
