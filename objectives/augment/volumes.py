"""Augment a batch of volumes on its device, with separate random draws for each volume.

MONAI's transforms work volume by volume, on the CPU, and each of them resamples again.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from objectives.data.pixels.normalization import Normalization

DRAWS = 8  # random numbers per volume: three turns, three shifts, a zoom, a mirror


@dataclass(frozen=True, kw_only=True)
class VolumeLevel:
    """The changes of one level, drawn for each volume; numbers are the largest, either way."""

    rotation_degrees: float = 0.0  # about each axis
    zoom: float = 0.0  # as a share of the side
    shift: float = 0.0  # as a share of the side
    mirror: bool = False  # left to right: the one plane a brain is nearly symmetric about


VOLUME_LEVELS = {
    "none": VolumeLevel(),
    "conservative": VolumeLevel(rotation_degrees=10.0, zoom=0.08, shift=0.08, mirror=True),
}


def normalize_volumes(batch: Tensor, normalization: Normalization) -> Tensor:
    """Convert (B, C, S, S, S) uint8 to float32 of the normalisation's mean and deviation."""
    mean, std = (
        torch.tensor(each).view(-1, 1, 1, 1).to(batch.device, non_blocking=True) * 255
        for each in (normalization.mean, normalization.std)
    )
    return batch.float().sub_(mean).div_(std)


@torch.no_grad()
def augment_volumes(
    batch: Tensor, generator: torch.Generator, level: str, normalization: Normalization
) -> Tensor:
    """Move (B, C, S, S, S) uint8 by a level of VOLUME_LEVELS and normalise it as float32.

    Beyond its edges a volume is 0, the mean of the brain, like everything around the brain.

    generator: on the CPU, the only source of the draws, so that a GPU gets the same ones.
    level: a key of VOLUME_LEVELS.
    """
    chosen = VOLUME_LEVELS[level]
    volumes = normalize_volumes(batch, normalization)
    if chosen == VolumeLevel():
        return volumes
    draws = torch.rand((len(batch), DRAWS), generator=generator) * 2 - 1
    placed = volume_placement(chosen, draws).to(batch.device, non_blocking=True)
    with torch.autocast(batch.device.type, enabled=False):  # positions would lose bits to bfloat16
        grid = F.affine_grid(placed, list(volumes.shape), align_corners=False)
        return F.grid_sample(volumes, grid, align_corners=False)


def volume_placement(level: VolumeLevel, draws: Tensor) -> Tensor:
    """Compute the matrices (B, 3, 4) that map each volume's voxels to their source.

    draws: (B, 8) from -1 to 1.
    """
    turns = draws[:, :3] * math.radians(level.rotation_degrees)
    about_first, about_second, about_third = (_rotations(turns[:, axis], axis) for axis in range(3))
    length = (1 + draws[:, 6] * level.zoom)[:, None].repeat(1, 3)
    # torch's grid names the last axis first: left to right, the first of a volume, is its third.
    length[:, 2] *= torch.where((draws[:, 7] < 0) & level.mirror, -1.0, 1.0)
    axes = about_first @ about_second @ about_third * length[:, None]
    # The grid runs from -1 to 1: a shift of the whole side is 2.
    return torch.cat([axes, (draws[:, 3:6] * 2 * level.shift)[:, :, None]], dim=2)


def _rotations(angle: Tensor, axis: int) -> Tensor:
    """Compute the rotations (B, 3, 3) by angles (B,) about an axis."""
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, one, one] = matrix[:, other, other] = angle.cos()
    matrix[:, other, one] = angle.sin()
    matrix[:, one, other] = -angle.sin()
    return matrix
