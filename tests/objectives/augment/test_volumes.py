"""Augmentation in three dimensions: its movements, their limits, and their random draws."""

import math

import pytest
import torch
from torch import Tensor

from objectives.augment.volumes import (
    VOLUME_LEVELS,
    VolumeLevel,
    augment_volumes,
    normalize_volumes,
    volume_placement,
)
from objectives.data.pixels.volumes import BACKGROUND, STANDARDIZED

CONSERVATIVE = VOLUME_LEVELS["conservative"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def volumes(count: int = 3) -> Tensor:
    return torch.randint(0, 256, (count, 4, 12, 12, 12), generator=seeded(1)).to(torch.uint8)


def augmented(batch: Tensor, level: str = "conservative", seed: int = 0) -> Tensor:
    return augment_volumes(batch, seeded(seed), level, STANDARDIZED)


def test_a_byte_is_so_many_deviations_from_the_brains_mean() -> None:
    batch = torch.tensor([1, 128, 255], dtype=torch.uint8).view(3, 1, 1, 1, 1)
    assert normalize_volumes(batch, STANDARDIZED).flatten().tolist() == [-4, 0, 4]


def test_without_augmentation_a_volume_is_only_normalised() -> None:
    batch = volumes()
    assert augmented(batch, "none").equal(normalize_volumes(batch, STANDARDIZED))


def test_every_volume_keeps_its_shape_and_has_its_own_draw() -> None:
    batch = volumes(1).expand(3, -1, -1, -1, -1)
    moved = augmented(batch)
    assert (moved.shape, moved.dtype) == (batch.shape, torch.float32)
    assert not moved[0].allclose(moved[1])
    assert not moved[1].allclose(moved[2])


def test_the_generator_alone_decides_the_draws() -> None:
    torch.manual_seed(1)
    first = augmented(volumes())
    torch.manual_seed(2)
    assert augmented(volumes()).equal(first)
    assert not augmented(volumes(), seed=3).equal(first)


def test_modalities_of_a_patient_move_together() -> None:
    batch = volumes(2)[:, :1].expand(-1, 4, -1, -1, -1)
    moved = augmented(batch)
    assert moved[:, 0].equal(moved[:, 3])


def test_what_comes_into_view_is_background() -> None:
    empty = torch.full((4, 1, 8, 8, 8), BACKGROUND, dtype=torch.uint8)
    assert augmented(empty).count_nonzero() == 0


def test_no_draw_turns_scales_or_shifts_further_than_its_level() -> None:
    draws = torch.rand((500, 8), generator=seeded()) * 2 - 1
    placed = volume_placement(CONSERVATIVE, draws)
    lengths = placed[:, :, :3].norm(dim=1)
    assert 0.92 <= lengths.min() < 0.93
    assert 1.07 < lengths.max() <= 1.08
    assert 0.15 < placed[:, :, 3].abs().max() <= 0.16  # of a grid that is 2 long
    # Three turns of 10 degrees one after the other are 18 at most, about any axis.
    cosines = placed[:, 0, 0] / lengths[:, 0]
    assert math.degrees(math.acos(cosines.min())) < 18


@pytest.mark.parametrize(("draw", "is_mirrored"), [(-0.5, True), (0.5, False)])
def test_half_the_draws_mirror_left_and_right_and_nothing_else(
    draw: float, is_mirrored: bool
) -> None:
    draws = torch.tensor([[0.0] * 7 + [draw]])
    placed = volume_placement(VolumeLevel(mirror=True), draws)
    batch = torch.rand(1, 1, 6, 6, 6)
    grid = torch.nn.functional.affine_grid(placed, [1, 1, 6, 6, 6], align_corners=False)
    moved = torch.nn.functional.grid_sample(batch, grid, align_corners=False)
    wanted = batch.flip(2) if is_mirrored else batch  # the first of a volume's sides
    assert moved.allclose(wanted, atol=1e-5)


def test_a_turn_about_one_axis_leaves_that_axis_alone() -> None:
    draws = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, 1.0]])
    placed = volume_placement(VolumeLevel(rotation_degrees=90), draws)[0, :, :3]
    assert placed.allclose(torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), atol=1e-6)
