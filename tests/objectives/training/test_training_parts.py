"""Tests of order, BatchNorm statistics and stopping."""

import math

import pytest
import torch
from torch import nn

from objectives.recipe.optimization import steps_per_epoch
from objectives.training.feed.order import epoch_batches, epoch_generator
from objectives.training.learning.batchnorm import reestimated
from objectives.training.learning.stopping import best_epoch, has_stalled

RARE = torch.tensor([0] * 950 + [1] * 50)


def batches(*, seed: int = 1, epoch: int = 1, weighted: bool = False, batch_size: int = 32):
    generator = epoch_generator(seed, epoch, "order")
    return epoch_batches(RARE, batch_size, weighted=weighted, generator=generator)


def test_an_epoch_shows_each_image_once_in_batches_of_nearly_one_size() -> None:
    epoch = batches(batch_size=300)
    assert sorted(torch.cat(epoch).tolist()) == list(range(1000))
    assert [len(batch) for batch in epoch] == [250] * 4


@pytest.mark.parametrize(("images", "batch_size", "steps"), [(5, 2, 2), (400, 256, 2), (64, 32, 2)])
def test_no_step_has_a_single_image(images: int, batch_size: int, steps: int) -> None:
    assert steps_per_epoch(images, batch_size) == steps


@pytest.mark.parametrize("weighted", [False, True])
def test_the_seed_and_the_epoch_decide_the_order(weighted: bool) -> None:
    first, again, other_epoch, other_seed = (
        torch.cat(batches(seed=seed, epoch=epoch, weighted=weighted))
        for seed, epoch in ((1, 1), (1, 1), (1, 2), (2, 1))
    )
    assert first.equal(again)
    assert not first.equal(other_epoch)
    assert not first.equal(other_seed)


def test_the_weighted_sampler_shows_every_class_equally_often() -> None:
    shown = RARE[torch.cat(batches(weighted=True))]
    assert len(shown) == 1000
    assert shown.sum().item() == pytest.approx(500, abs=4 * math.sqrt(250))


def test_reestimated_statistics_are_the_batches_own_and_leave_no_trace() -> None:
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.9))
    model.train()
    model(torch.randn(8, 1, 4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    pairs = (torch.tensor([1.0, 3.0]), torch.tensor([5.0, 9.0]))
    with reestimated(model, [(each.view(2, 1, 1, 1),) for each in pairs]):
        # Means 2 and 7; unbiased variances 2 and 8.
        assert model[0].running_mean.item() == pytest.approx(4.5)
        assert model[0].running_var.item() == pytest.approx(5.0)
        assert not model.training
    after = model.state_dict()
    assert all(after[name].equal(value) for name, value in before.items())
    assert model[0].momentum == 0.1


def test_patience_counts_from_the_end_of_warm_up_and_unfreezing() -> None:
    losses = [1.0, 2.0, 3.0, 4.0]
    assert has_stalled(losses, patience=3)
    assert not has_stalled(losses, patience=3, settled_epoch=2)
    assert has_stalled([*losses, 5.0], patience=3, settled_epoch=2)


def test_frozen_statistics_are_not_estimated_anew_and_no_batch_is_read() -> None:
    class Frozen(nn.Sequential):
        def train(self, mode: bool = True) -> "Frozen":
            return super().train(False)

    model = Frozen(nn.BatchNorm2d(1))
    before = model[0].running_mean.clone()
    batches = iter([(torch.full((2, 1, 1, 1), 5.0),)])
    with reestimated(model, batches):
        assert model[0].running_mean.equal(before)
    assert len(list(batches)) == 1


def test_the_best_epoch_is_the_first_of_the_lowest_and_never_nan() -> None:
    assert best_epoch([3.0, math.nan, 1.0, 1.0]) == 3
    assert best_epoch([math.nan]) is None


@pytest.mark.parametrize(
    ("losses", "patience", "min_epochs", "stalled"),
    [
        ([1.0, 2.0, 3.0], 2, 0, True),
        ([1.0, 2.0, 3.0], 3, 0, False),
        ([1.0, 2.0, 3.0], 0, 0, False),
        ([1.0, 2.0, 3.0], 2, 4, False),
        ([1.0, 2.0, 3.0, 4.0], 2, 4, True),
        ([math.nan, math.nan], 2, 0, True),
        ([], 1, 0, False),
    ],
)
def test_training_ends_when_the_best_loss_is_patience_epochs_old(
    losses: list[float], patience: int, min_epochs: int, stalled: bool
) -> None:
    assert has_stalled(losses, patience, min_epochs) is stalled
