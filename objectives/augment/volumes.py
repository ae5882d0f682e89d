"""Augmentation of a batch of volumes on its device, every one with its own draw.

MONAI's transforms go volume by volume, on the CPU, each resampling again.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from objectives.data.pixels.normalization import Normalization

DRAWS = 8  # random numbers per volume: three turns, three shifts, a zoom, a mirror


@dataclass(frozen=True)
class VolumeLevel:
    """How far a volume may be moved; zoom and shift are shares of its side."""

    rotation_degrees: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    mirror: bool = False  # left to right: the one plane a brain is nearly symmetric about


VOLUME_LEVELS = {"none": VolumeLevel(), "conservative": VolumeLevel(10.0, 0.08, 0.08, mirror=True)}


def normalize_volumes(batch: Tensor, normalization: Normalization) -> Tensor:
    """Give (B, C, S, S, S) uint8 as float32 of the normalisation's mean and deviation."""
    mean, std = (
        torch.tensor(each).view(-1, 1, 1, 1).to(batch.device, non_blocking=True) * 255
        for each in (normalization.mean, normalization.std)
    )
    return batch.float().sub_(mean).div_(std)


@torch.no_grad()
def augment_volumes(
    batch: Tensor, generator: torch.Generator, level: str, normalization: Normalization
) -> Tensor:
    """Give (B, C, S, S, S) uint8 moved by a level of VOLUME_LEVELS and normalised as float32.

    The draws come from the generator alone, which lives on the CPU: a GPU gets the same ones. What
    comes into view is 0, the brain's mean, as is all that is around it.
    """
    chosen = VOLUME_LEVELS[level]
    volumes = normalize_volumes(batch, normalization)
    if chosen == VolumeLevel():
        return volumes
    draws = torch.rand((len(batch), DRAWS), generator=generator) * 2 - 1
    placed = volume_placement(chosen, draws).to(batch.device, non_blocking=True)
    with torch.autocast(batch.device.type, enabled=False):  # places would lose bits to bfloat16
        grid = F.affine_grid(placed, list(volumes.shape), align_corners=False)
        return F.grid_sample(volumes, grid, align_corners=False)


def volume_placement(level: VolumeLevel, draws: Tensor) -> Tensor:
    """Give (B, 3, 4): where each volume's voxels are taken from, of draws (B, 8) from -1 to 1."""
    turns = draws[:, :3] * math.radians(level.rotation_degrees)
    about_first, about_second, about_third = (_turn(turns[:, axis], axis) for axis in range(3))
    length = (1 + draws[:, 6] * level.zoom)[:, None].repeat(1, 3)
    # torch's grid names the last axis first: left to right, the first of a volume, is its third.
    length[:, 2] *= torch.where((draws[:, 7] < 0) & level.mirror, -1.0, 1.0)
    axes = about_first @ about_second @ about_third * length[:, None]
    # The grid runs from -1 to 1: a shift of the whole side is 2.
    return torch.cat([axes, (draws[:, 3:6] * 2 * level.shift)[:, :, None]], dim=2)


def _turn(angle: Tensor, axis: int) -> Tensor:
    """Give rotations (B, 3, 3) by angles (B,) about an axis, which stays as it is."""
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, one, one] = matrix[:, other, other] = angle.cos()
    matrix[:, other, one] = angle.sin()
    matrix[:, one, other] = -angle.sin()
    return matrix
