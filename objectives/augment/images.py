"""Augment a whole batch on its device, with separate random draws for each image.

torchvision's v2 draws once for a batch, so it would have to be called image by image. Milliseconds
per image on one core, at 64 and 224 px: shift .09 and 1.0 (v2 .29 and 1.4), light and medical .09
and 1.0 (v2 .53 and 2.1), strong .27 and 2.4 (v2 .88 and 3.3).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from objectives.augment.erasing import erase_
from objectives.augment.levels import LEVELS, Level
from objectives.data.pixels.normalization import Normalization

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: the grey that a saturation of 0 leaves
PART_VALUES = 2**18  # fit into a core's cache; whole batches of 32 took 1.6 times as long
DRAWS = 9  # random numbers per image for one pass: six to move it, three to recolour it


def normalize(batch: Tensor, normalization: Normalization) -> Tensor:
    """Convert (B, 3, H, W) uint8 to float32 of the backbone's mean and deviation."""
    scale = torch.tensor(normalization.std).view(3, 1, 1) * 255
    offset = torch.tensor(normalization.mean).view(3, 1, 1) * 255
    # In place: a second copy of a large batch costs a CPU ten times the arithmetic.
    return batch.float().sub_(_beside(batch, offset)).div_(_beside(batch, scale))


@torch.no_grad()
def augment(
    batch: Tensor, generator: torch.Generator, level: str, normalization: Normalization
) -> Tensor:
    """Change (B, 3, H, W) uint8 by a level of LEVELS and normalise it as float32.

    Colours are not clipped in between. Validation images go through `normalize` instead.

    generator: on the CPU, the only source of the draws, so that a GPU gets the same ones.
    level: a key of LEVELS.
    """
    chosen = LEVELS[level]
    if chosen == Level():
        return normalize(batch, normalization)
    with torch.autocast(batch.device.type, enabled=False):  # pixels would lose bits to bfloat16
        if chosen.rand_augment:
            # torchvision takes a second to load, and only this level needs it.
            from objectives.augment.randaugment import rand_augment

            batch = rand_augment(batch, generator)  # is defined on bytes
        draws = torch.rand((len(batch), DRAWS), generator=generator) * 2 - 1
        placed = placement(chosen, draws[:, :6])
        shift, matrix = colours(chosen, draws[:, 6:], normalization)
        augmented = torch.empty(batch.shape, device=batch.device)
        for part in _parts(batch):
            moved = move(batch[part].float() / 255, placed[part])
            recolour(moved, shift[part], matrix[part], out=augmented[part])
        return erase_(augmented, generator) if chosen.erase else augmented


def _parts(batch: Tensor) -> list[slice]:
    """Divide the batch into parts: one on a GPU, on a CPU parts that fit into a core's cache."""
    count = max(1, PART_VALUES // batch[0].numel()) if batch.device.type == "cpu" else len(batch)
    return [slice(start, start + count) for start in range(0, len(batch), count)]


def placement(level: Level, draws: Tensor) -> Tensor:
    """Compute the matrices (B, 2, 3) that map each image's pixels to their source.

    draws: (B, 6) from -1 to 1.
    """
    flip_x, flip_y, turn, right, down, zoom = draws.unbind(1)
    angle = turn * math.radians(level.rotation_degrees)
    # The columns of the matrix are the directions of the image's axes; a mirrored one is negative.
    length = 1 + zoom * level.zoom
    along_x = torch.where((flip_x < 0) & level.flip_x, -length, length)
    along_y = torch.where((flip_y < 0) & level.flip_y, -length, length)
    x_axis = torch.stack([angle.cos(), angle.sin()], 1) * along_x[:, None]
    y_axis = torch.stack([-angle.sin(), angle.cos()], 1) * along_y[:, None]
    # The grid runs from -1 to 1: a shift of the whole side is 2.
    centre = torch.stack([right, down], 1) * 2 * level.shift
    return torch.stack([x_axis, y_axis, centre], 2)


def move(images: Tensor, placed: Tensor) -> Tensor:
    """Flip, rotate, shift and zoom in one resampling; beyond its edges an image is mirrored."""
    grid = F.affine_grid(_beside(images, placed), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def colours(level: Level, draws: Tensor, normalization: Normalization) -> tuple[Tensor, Tensor]:
    """Combine saturation, brightness, contrast and normalisation into one step.

    draws: (B, 3) from -1 to 1.
    Returns a shift (B, 3, 1) and a matrix (B, 3, 3): the new colour is matrix @ colour + shift.
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
    # Normalised, contrast * (colour - mean) + mean is contrast * (colour - mean) / deviation.
    return -contrast * offset / scale, matrix


def recolour(images: Tensor, shift: Tensor, matrix: Tensor, out: Tensor) -> None:
    """Apply each image's matrix and shift to its colours in one pass, into `out`."""
    pixels = images.flatten(2)
    torch.baddbmm(_beside(images, shift), _beside(images, matrix), pixels, out=out.flatten(2))


def _beside(images: Tensor, small: Tensor) -> Tensor:
    # A blocking copy would wait until the device has finished everything it was given.
    return small.to(images.device, non_blocking=True)
