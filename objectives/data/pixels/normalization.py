"""The shift and scale of pixels before a network sees them; each backbone has its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of pixels from 0 to 1: per channel, or one number for all."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
