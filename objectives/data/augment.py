"""Augmentation of a whole batch in one pass on its device, every image with its own draw."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from objectives.data.normalization import Normalization

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what a saturation of 0 leaves
DRAWS = 9  # random numbers per image


@dataclass(frozen=True)
class Level:
    """How far an image may be moved and recoloured; every draw is uniform and symmetric.

    flip: mirrored both ways, half of the time each. rotation_degrees, shift (of the side), zoom,
    brightness, contrast, saturation: at most so much to either side.
    """

    flip: bool = False
    rotation_degrees: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0


LEVELS: Mapping[str, Level] = {
    "none": Level(),
    # For what has an up and a left, as digits do.
    "shift": Level(rotation_degrees=10, shift=0.08, zoom=0.1),
    # For what has neither, as tissue and skin: the shape moves and the stain varies.
    "light": Level(
        flip=True,
        rotation_degrees=15,
        shift=0.05,
        zoom=0.1,
        brightness=0.15,
        contrast=0.15,
        saturation=0.15,
    ),
}


def normalize(batch: Tensor, normalization: Normalization) -> Tensor:
    """Give (B, 3, H, W) uint8 as float32 of the backbone's mean and deviation."""
    scale = torch.tensor(normalization.std, device=batch.device).view(3, 1, 1) * 255
    offset = torch.tensor(normalization.mean, device=batch.device).view(3, 1, 1) * 255
    return (batch.float() - offset) / scale


@torch.no_grad()
def augment(
    batch: Tensor, generator: torch.Generator, level: str, normalization: Normalization
) -> Tensor:
    """Give (B, 3, H, W) uint8 moved, recoloured and normalised as float32, by a level of LEVELS.

    The draws come from the generator alone, on its own device: a CPU generator gives the same ones
    for a batch on a GPU. Colours are not clipped on the way.
    """
    chosen = LEVELS[level]
    if chosen == Level():
        return normalize(batch, normalization)
    uniform = torch.rand((len(batch), DRAWS), generator=generator, device=generator.device)
    draws = (uniform * 2 - 1).to(batch.device)
    moved = _move(batch.float() / 255, chosen, draws[:, :6])
    return _recolour(moved, chosen, draws[:, 6:], normalization)


def _move(images: Tensor, level: Level, draws: Tensor) -> Tensor:
    """Flip, rotate, shift and zoom in one resampling; what comes into view mirrors the image."""
    flip_x, flip_y, turn, right, down, zoom = draws.unbind(1)
    angle = turn * math.radians(level.rotation_degrees)
    # The columns of the matrix are where the image's own axes point: a mirrored one points back.
    length = 1 + zoom * level.zoom
    along_x = torch.where((flip_x < 0) & level.flip, -length, length)
    along_y = torch.where((flip_y < 0) & level.flip, -length, length)
    x_axis = torch.stack([angle.cos(), angle.sin()], 1) * along_x[:, None]
    y_axis = torch.stack([-angle.sin(), angle.cos()], 1) * along_y[:, None]
    # The grid runs from -1 to 1: a shift of the whole side is 2.
    centre = torch.stack([right, down], 1) * 2 * level.shift
    matrix = torch.stack([x_axis, y_axis, centre], 2)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _recolour(images: Tensor, level: Level, draws: Tensor, normalization: Normalization) -> Tensor:
    """Apply saturation, brightness, contrast and normalisation to each image as one 3x4 matrix."""
    brightness, contrast, saturation = (
        (1 + draws * draws.new_tensor([level.brightness, level.contrast, level.saturation]))
        .view(-1, 3, 1, 1)
        .unbind(1)
    )
    grey = draws.new_tensor(LUMA).expand(3, 3)
    offset = draws.new_tensor(normalization.mean).view(3, 1)
    scale = draws.new_tensor(normalization.std).view(3, 1)
    colours = saturation * torch.eye(3, device=draws.device) + (1 - saturation) * grey
    matrix = contrast * brightness * colours / scale
    # contrast * (colour - mean) + mean, then minus mean over deviation: the means cancel to this.
    shift = -contrast * offset / scale
    return torch.baddbmm(shift, matrix, images.flatten(2)).view_as(images)
