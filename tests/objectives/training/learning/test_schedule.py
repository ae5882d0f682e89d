"""The stages that learn in each epoch, and the learning rates of each step."""

import math
from dataclasses import replace

import pytest

from objectives.recipe.image import ImageRecipe
from objectives.training.learning.schedule import epochs_as_now, learning_rates_at, learning_stages


def rates(recipe: ImageRecipe) -> list[float]:
    """The rate of the backbone's last stage at each step, four to an epoch."""
    return [learning_rates_at(recipe, step, 4).last_stage for step in range(recipe.epochs * 4)]


def head_rates(recipe: ImageRecipe) -> list[float]:
    return [learning_rates_at(recipe, step, 4).head for step in range(recipe.epochs * 4)]


def test_the_learning_rate_rises_step_by_step_and_falls_along_a_cosine() -> None:
    seen = rates(ImageRecipe(learning_rate=1.0, epochs=5, warmup_epochs=1))
    assert seen[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    # A quarter, half and three quarters of the way down: (1 + cos(share * pi)) / 2.
    assert [seen[8], seen[12], seen[16]] == pytest.approx([0.8535534, 0.5, 0.1464466])
    assert seen[19] == pytest.approx(0.0096074, abs=1e-7)


def test_a_warm_up_in_steps_takes_the_place_of_one_in_epochs() -> None:
    seen = rates(ImageRecipe(learning_rate=1.0, epochs=2, warmup_steps=5, schedule="constant"))
    assert seen == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0])


def test_a_warm_up_longer_than_the_schedule_rises_to_its_end() -> None:
    seen = rates(ImageRecipe(learning_rate=1.0, epochs=1, warmup_steps=8))
    assert seen == [0.125, 0.25, 0.375, 0.5]


def test_frozen_epochs_have_a_constant_rate_and_come_before_everything_else() -> None:
    recipe = ImageRecipe(
        learning_rate=1e-3,
        head_multiple=2.0,
        frozen_epochs=2,
        frozen_learning_rate=2e-3,
        warmup_epochs=1,
        epochs=5,
    )
    seen = head_rates(recipe)
    assert seen[:8] == [2e-3] * 8
    assert seen[8:12] == pytest.approx([0.5e-3, 1e-3, 1.5e-3, 2e-3])
    assert seen[16] == pytest.approx(1e-3)  # half of the cosine's two epochs


def test_without_a_rate_of_its_own_the_head_starts_at_the_schedules() -> None:
    recipe = ImageRecipe(learning_rate=1e-3, head_multiple=2.0, frozen_epochs=1, epochs=3)
    assert head_rates(recipe)[:4] == [2e-3] * 4


@pytest.mark.parametrize(("head_multiple", "highest"), [(2.0, 2e-3), (0.5, 1e-3)])
def test_the_highest_rate_is_of_a_part_that_learns(head_multiple: float, highest: float) -> None:
    recipe = ImageRecipe(learning_rate=1e-3, head_multiple=head_multiple, schedule="constant")
    rates = learning_rates_at(recipe, 40, 4)
    assert rates.highest(stages=None) == rates.highest(stages=2) == highest
    assert rates.highest(stages=0) == 1e-3 * head_multiple


def test_each_part_of_the_network_has_its_rate_to_the_last_bit() -> None:
    recipe = ImageRecipe(
        learning_rate=3e-3,
        head_multiple=0.7,
        layer_decay=0.3,
        frozen_epochs=1,
        frozen_learning_rate=0.0123,
        warmup_epochs=1,
        epochs=4,
    )
    frozen, warming, late = (learning_rates_at(recipe, step, 5) for step in (0, 6, 13))
    cosine = 3e-3 * 0.5 * (1 + math.cos(math.pi * (3 / 10)))
    # Results of long studies must be repeatable: the order of these operations may not change.
    assert frozen.head == 0.0123 / 0.7 * 0.7
    assert (warming.head, warming.last_stage) == (3e-3 * 2 / 5 * 0.7, 3e-3 * 2 / 5)
    assert (late.head, late.last_stage) == (cosine * 0.7, cosine)
    assert [late.of_stage(before) for before in range(3)] == [
        cosine,
        cosine * 0.3,
        cosine * 0.3**2,
    ]


@pytest.mark.parametrize(
    ("losses", "factor"),
    [
        ([1.0, 0.9, 0.8], 1.0),
        ([1.0, 1.1, 1.2], 1.0),  # two epochs are borne
        ([1.0, 1.1, 1.2, 1.3], 0.5),
        ([1.0, 1.1, 1.2, 1.3, 1.3, 1.3], 0.5),  # the patience begins anew
        ([1.0, 1.1, 1.2, 1.3, 1.3, 1.3, 1.3], 0.25),
        ([1.0, math.nan, math.nan, math.nan], 0.5),
    ],
)
def test_a_plateau_is_answered_by_a_factor_after_its_patience(
    losses: list[float], factor: float
) -> None:
    recipe = ImageRecipe(
        learning_rate=1.0, schedule="plateau", plateau_patience=2, warmup_epochs=0, epochs=30
    )
    assert learning_rates_at(recipe, 100, 10, losses).last_stage == pytest.approx(factor)


@pytest.mark.parametrize("warmup", [{"warmup_epochs": 1}, {"warmup_steps": 5}])
def test_a_plateau_of_the_frozen_and_warm_up_epochs_is_not_answered(warmup: dict[str, int]) -> None:
    recipe = ImageRecipe(schedule="plateau", plateau_patience=1, frozen_epochs=4, epochs=30)
    recipe = replace(recipe, learning_rate=1.0, **warmup)
    stalled = [1.0] * 5
    assert learning_rates_at(recipe, 50, 10, stalled).last_stage == 1.0
    later = learning_rates_at(recipe, 80, 10, [*stalled, 2.0, 2.0, 2.0])
    assert later.last_stage == 0.5


def test_stages_begin_to_learn_one_after_the_other_from_the_last() -> None:
    recipe = ImageRecipe(frozen_epochs=2, trained_stages=3, epochs_per_stage=2, epochs=12)
    stages = [learning_stages(recipe, epoch) for epoch in range(1, 11)]
    assert stages == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]


def test_each_unfreezing_begins_the_count_of_its_epochs_anew() -> None:
    recipe = ImageRecipe(frozen_epochs=2, trained_stages=2, epochs_per_stage=2, epochs=12)
    assert [epochs_as_now(recipe, epoch) for epoch in range(1, 8)] == [1, 2, 1, 2, 1, 2, 3]


@pytest.mark.parametrize(
    ("config", "stages"),
    [
        ({}, [None, None, None]),
        ({"frozen_epochs": 1}, [0, None, None]),
        ({"frozen_epochs": 2, "trained_stages": 1}, [0, 0, 1]),  # the anemia study's
        ({"trained_stages": 2}, [2, 2, 2]),
    ],
)
def test_frozen_stages_begin_to_learn_all_at_once_or_one_by_one(
    config: dict[str, int], stages: list[int | None]
) -> None:
    recipe = ImageRecipe(epochs=4, **config)
    assert [learning_stages(recipe, epoch) for epoch in (1, 2, 3)] == stages
