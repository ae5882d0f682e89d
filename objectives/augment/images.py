"""Augmentation of a whole batch on its device, every image with its own draw.

torchvision's v2 draws once for a batch, so it would have to go image by image. Per image on one
core, milliseconds at 64 and 224 px: shift .09 and 1.0 (v2 .29 and 1.4), light and medical .09 and
1.0 (v2 .53 and 2.1), strong .27 and 2.4 (v2 .88 and 3.3).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from objectives.augment.erasing import erase_
from objectives.augment.levels import LEVELS, Level
from objectives.augment.randaugment import rand_augment
from objectives.data.pixels.normalization import Normalization

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what a saturation of 0 leaves
PART_VALUES = 2**18  # of all colours: a core's cache; whole batches of 32 took 1.6 times as long
DRAWS = 9  # random numbers per image for one pass: six to move it, three to recolour it


def normalize(batch: Tensor, normalization: Normalization) -> Tensor:
    """Give (B, 3, H, W) uint8 as float32 of the backbone's mean and deviation."""
    scale = torch.tensor(normalization.std).view(3, 1, 1) * 255
    offset = torch.tensor(normalization.mean).view(3, 1, 1) * 255
    # In place: a second copy of a large batch costs a CPU ten times the arithmetic.
    return batch.float().sub_(_sent(offset, batch)).div_(_sent(scale, batch))


@torch.no_grad()
def augment(
    batch: Tensor, generator: torch.Generator, level: str, normalization: Normalization
) -> Tensor:
    """Give (B, 3, H, W) uint8 changed by a level of LEVELS and normalised as float32.

    The draws come from the generator alone, which lives on the CPU: a GPU gets the same ones.
    Colours are not clipped on the way. Validation images go through `normalize` instead.
    """
    chosen = LEVELS[level]
    if chosen == Level():
        return normalize(batch, normalization)
    with torch.autocast(batch.device.type, enabled=False):  # pixels would lose bits to bfloat16
        if chosen.rand_augment:
            batch = rand_augment(batch, generator)  # on bytes, for which it is defined
        draws = torch.rand((len(batch), DRAWS), generator=generator) * 2 - 1
        placed = placement(chosen, draws[:, :6])
        shift, matrix = colours(chosen, draws[:, 6:], normalization)
        augmented = torch.empty(batch.shape, device=batch.device)
        for part in _parts(batch):
            moved = move(batch[part].float() / 255, placed[part])
            recolour(moved, shift[part], matrix[part], out=augmented[part])
        return erase_(augmented, generator) if chosen.erase else augmented


def _parts(batch: Tensor) -> list[slice]:
    """Give what is worked on at once: the batch on a GPU, as much as a core's cache holds here."""
    count = max(1, PART_VALUES // batch[0].numel()) if batch.device.type == "cpu" else len(batch)
    return [slice(start, start + count) for start in range(0, len(batch), count)]


def placement(level: Level, draws: Tensor) -> Tensor:
    """Give (B, 2, 3): where each image's pixels are taken from, of draws (B, 6) from -1 to 1."""
    flip_x, flip_y, turn, right, down, zoom = draws.unbind(1)
    angle = turn * math.radians(level.rotation_degrees)
    # The columns of the matrix are where the image's own axes point: a mirrored one points back.
    length = 1 + zoom * level.zoom
    along_x = torch.where((flip_x < 0) & level.flip_x, -length, length)
    along_y = torch.where((flip_y < 0) & level.flip_y, -length, length)
    x_axis = torch.stack([angle.cos(), angle.sin()], 1) * along_x[:, None]
    y_axis = torch.stack([-angle.sin(), angle.cos()], 1) * along_y[:, None]
    # The grid runs from -1 to 1: a shift of the whole side is 2.
    centre = torch.stack([right, down], 1) * 2 * level.shift
    return torch.stack([x_axis, y_axis, centre], 2)


def move(images: Tensor, placed: Tensor) -> Tensor:
    """Flip, rotate, shift and zoom in one resampling; what comes into view mirrors the image."""
    grid = F.affine_grid(_sent(placed, images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def colours(level: Level, draws: Tensor, normalization: Normalization) -> tuple[Tensor, Tensor]:
    """Give what saturation, brightness, contrast and normalisation add up to.

    draws: (B, 3) from -1 to 1. Returns (B, 3, 1) to be added to what (B, 3, 3) makes of a colour.
    """
    brightness, contrast, saturation = (
        (1 + draws * draws.new_tensor([level.brightness, level.contrast, level.saturation]))
        .view(-1, 3, 1, 1)
        .unbind(1)
    )
    grey = draws.new_tensor(LUMA).expand(3, 3)
    offset = draws.new_tensor(normalization.mean).view(3, 1)
    scale = draws.new_tensor(normalization.std).view(3, 1)
    matrix = contrast * brightness * (saturation * torch.eye(3) + (1 - saturation) * grey) / scale
    # contrast * (colour - mean) + mean, then minus mean over deviation: the means cancel to this.
    return -contrast * offset / scale, matrix


def recolour(images: Tensor, shift: Tensor, matrix: Tensor, out: Tensor) -> None:
    """Write to `out` what each image's matrix and shift make of its colours, in one pass."""
    pixels = images.flatten(2)
    torch.baddbmm(_sent(shift, images), _sent(matrix, images), pixels, out=out.flatten(2))


def _sent(small: Tensor, images: Tensor) -> Tensor:
    # Without waiting: a blocking copy would stop until the device has done all it was given.
    return small.to(images.device, non_blocking=True)
