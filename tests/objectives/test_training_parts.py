"""Tests of order, schedule, BatchNorm statistics and stopping."""

import math

import pytest
import torch
from torch import nn

from objectives.recipe.image import ImageRecipe
from objectives.training.batchnorm import reestimated
from objectives.training.samplers import epoch_batches, epoch_generator, steps_per_epoch
from objectives.training.schedule import learning_rate_at
from objectives.training.stopping import best_epoch, has_stalled

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


def test_the_learning_rate_rises_step_by_step_and_falls_along_a_cosine() -> None:
    recipe = ImageRecipe(learning_rate=1.0, epochs=5, warmup_epochs=1)
    rates = [learning_rate_at(recipe, step, steps_per_epoch=4) for step in range(20)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    # A quarter, half and three quarters of the way down: (1 + cos(share * pi)) / 2.
    assert [rates[8], rates[12], rates[16]] == pytest.approx([0.8535534, 0.5, 0.1464466])
    assert rates[19] == pytest.approx(0.0096074, abs=1e-7)


def test_reestimated_statistics_are_the_batches_own_and_leave_no_trace() -> None:
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.9))
    model.train()
    model(torch.randn(8, 1, 4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = [torch.tensor([1.0, 3.0]).view(2, 1, 1, 1), torch.tensor([5.0, 9.0]).view(2, 1, 1, 1)]
    with reestimated(model, [(image, torch.zeros(2)) for image in images]):
        # Means 2 and 7; unbiased variances 2 and 8.
        assert model[0].running_mean.item() == pytest.approx(4.5)
        assert model[0].running_var.item() == pytest.approx(5.0)
        assert not model.training
    after = model.state_dict()
    assert all(after[name].equal(value) for name, value in before.items())
    assert model[0].momentum == 0.1


def test_the_best_epoch_is_the_first_of_the_lowest_and_never_nan() -> None:
    assert best_epoch([3.0, math.nan, 1.0, 1.0]) == 3
    assert best_epoch([math.nan]) is None


@pytest.mark.parametrize(
    ("losses", "patience", "stalled"),
    [
        ([1.0, 2.0, 3.0], 2, True),
        ([1.0, 2.0, 3.0], 3, False),
        ([1.0, 2.0, 3.0], 0, False),
        ([math.nan, math.nan], 2, True),
        ([], 1, False),
    ],
)
def test_training_ends_when_the_best_loss_is_patience_epochs_old(
    losses: list[float], patience: int, stalled: bool
) -> None:
    assert has_stalled(losses, patience) is stalled
