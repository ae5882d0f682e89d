"""Tests of the ruler and of what is measured beside it."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from objectives.training.metrics import fit_temperature, measure


def noisy_logits(images: int = 2000, classes: int = 4, factor: float = 1.0):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (images,), generator=generator)
    logits = torch.randn(images, classes, generator=generator)
    logits[torch.arange(images), labels] += 1.5
    return logits * factor, labels


@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0, 30.0, 100.0])
def test_a_factor_on_all_logits_does_not_move_the_ruler(factor: float) -> None:
    plain, scaled = measure(*noisy_logits()), measure(*noisy_logits(factor=factor))
    assert scaled["val_loss"] == pytest.approx(plain["val_loss"], abs=1e-6)
    assert scaled["val_macro_auc"] == pytest.approx(plain["val_macro_auc"], abs=1e-6)
    assert scaled["val_temperature"] == pytest.approx(factor * plain["val_temperature"], rel=1e-5)
    assert scaled["val_cross_entropy"] > plain["val_loss"]


def test_the_temperature_makes_confidence_equal_to_the_share_of_right_answers() -> None:
    # 100 equal answers of which 80 are right. Platt's targets for them: 1 - 1/102 plus the half of
    # 1/102 that falls on the same side, 80 times; the other half, 20 times.
    right = 0.8 * (1 - 1 / 102) + 0.5 / 102
    logits = torch.tensor([[6.0, 0.0]]).repeat(100, 1)
    labels = (torch.arange(100) >= 80).long()
    values = measure(logits, labels)
    odds = right / (1 - right)
    assert values["val_temperature"] == pytest.approx(6 / math.log(odds), rel=1e-9)
    loss = -0.8 * math.log(right) - 0.2 * math.log(1 - right)
    assert values["val_loss"] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize(
    ("logits", "loss"),
    [
        (torch.zeros(6, 3), math.log(3)),  # nothing known
        (-10 * torch.eye(3).repeat(2, 1), math.log(3)),  # worse than knowing nothing
        # All right, however faintly: six images cannot vouch for more than 1 - 1/8 + 1/24.
        (0.01 * torch.eye(3).repeat(2, 1), -math.log(11 / 12)),
    ],
)
def test_the_ruler_ends_at_the_uniform_guess_and_where_no_image_is_wrong(
    logits: torch.Tensor, loss: float
) -> None:
    labels = torch.arange(3).repeat(2)
    assert measure(logits, labels)["val_loss"] == pytest.approx(loss, abs=2e-3)


def test_accuracies_are_fractions_and_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    labels = torch.tensor([0] * 8 + [1] * 2)
    logits = torch.tensor([[1.0, 0.0]] * 9 + [[0.0, 1.0]])
    values = measure(logits, labels)
    assert values["val_top1"] == pytest.approx(0.9)
    assert values["val_balanced_accuracy"] == pytest.approx((1.0 + 0.5) / 2)
    assert values["val_macro_auc"] == pytest.approx(0.75)  # one of two pairs tied for each 0


def test_a_class_that_does_not_occur_is_left_out_of_the_means() -> None:
    logits, labels = noisy_logits(classes=2)
    absent = torch.cat([logits, torch.full((len(logits), 1), -50.0)], dim=1)
    values, expected = measure(absent, labels), measure(logits, labels)
    assert values["val_balanced_accuracy"] == pytest.approx(expected["val_balanced_accuracy"])
    assert values["val_macro_auc"] == pytest.approx(expected["val_macro_auc"])


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_logit_that_is_not_finite_makes_every_metric_nan(broken: float) -> None:
    logits, labels = noisy_logits(images=10)
    logits[3, 1] = broken
    assert all(math.isnan(value) for value in measure(logits, labels).values())


def test_the_fit_finds_what_a_fine_grid_finds() -> None:
    logits, labels = noisy_logits(factor=7.0)
    grid = torch.linspace(1, 20, 1901, dtype=torch.float64)
    losses = [
        cross_entropy(logits.double() / each, labels, label_smoothing=1 / 2002) for each in grid
    ]
    best = grid[losses.index(min(losses))].item()
    assert fit_temperature(logits.double(), labels) == pytest.approx(best, abs=0.01)
