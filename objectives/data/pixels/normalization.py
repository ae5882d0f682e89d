"""What pixels are shifted and scaled by before a network sees them: its backbone's business."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalization:
    """Mean and deviation of each channel, or of all by one number, of pixels from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
