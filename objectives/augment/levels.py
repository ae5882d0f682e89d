"""How far training images may be changed: the levels that a recipe's `augmentation` names."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """What is drawn for each image by itself; every draw is uniform and symmetric.

    flip_x, flip_y: mirrored left to right, top to bottom, half of the time each. rotation_degrees,
    shift (of the side), zoom (of the section seen), brightness, contrast, saturation: at most so
    much to either side. rand_augment: RandAugment before all that. erase: a patch, after it.
    """

    flip_x: bool = False
    flip_y: bool = False
    rotation_degrees: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    rand_augment: bool = False
    erase: bool = False


LEVELS: Mapping[str, Level] = {
    "none": Level(),
    # For what has an up and a left, as digits do.
    "shift": Level(rotation_degrees=10, shift=0.08, zoom=0.1),
    # For what has neither, as tissue and skin: the shape moves and the stain varies.
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
    # As an anemia study took photographs of the eye: they keep their up.
    "medical": Level(
        flip_x=True,
        rotation_degrees=15,
        shift=0.1,
        zoom=0.2,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
    ),
    # As a dermatology study took skin; its degrees and strengths are not published.
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
