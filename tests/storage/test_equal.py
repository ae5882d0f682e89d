"""Trials whose first epoch gave the same number: one of each configuration is read."""

import math
from collections.abc import Callable

import pytest
from optuna.samplers import RandomSampler

from storage.store import Claim, Store
from tests.storage.samples import finished

Begin = Callable[..., int]


@pytest.fixture
def begin(store: Store) -> Begin:
    """Begin a trial with drawn values and a number of its first epoch."""
    store.update_definition("toy", {}, trials=None)

    def begin(number: float, **drawn: float) -> int:
        claim = store.claim("toy", "ada", lease_seconds=30)
        assert isinstance(claim, Claim)
        with store.trial(claim, lambda _: RandomSampler(seed=0)) as trial:
            for name, value in drawn.items():
                trial.suggest_float(name, value, value)
        for epoch, loss in ((1, number), (2, 0.5)):
            store.record(claim, epoch, {"first": loss}, 0.5, seconds=1.0, images=10)
        store.tell(claim, finished(0.5))
        return claim.number

    return begin


def test_only_equal_numbers_of_other_configurations_are_read(store: Store, begin: Begin) -> None:
    alone = begin(0.25, width=1)
    one, other = begin(0.75, width=1), begin(0.75, width=2)
    begin(0.7500000000000001, width=3)

    assert store.equal_firsts("toy", "first", {"width"}) == {one: 0.75, other: 0.75}
    assert begin(0.25, width=1) != alone
    assert store.equal_firsts("toy", "first", {"width"}) == {one: 0.75, other: 0.75}


def test_of_one_configuration_the_earliest_trial_is_read(store: Store, begin: Begin) -> None:
    numbers = [begin(0.75, width=width, rate=rate) for rate, width in enumerate((1, 1, 2, 2, 1))]

    assert set(store.equal_firsts("toy", "first", {"width"})) == {numbers[0], numbers[2]}
    assert set(store.equal_firsts("toy", "first", {"width", "rate"})) == {*numbers}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_numbers_that_are_not_finite_are_equal_to_none(
    store: Store, begin: Begin, number: float
) -> None:
    begin(number, width=1)
    begin(number, width=2)

    assert store.equal_firsts("toy", "first", {"width"}) == {}
    assert store.equal_firsts("toy", "another", {"width"}) == {}
