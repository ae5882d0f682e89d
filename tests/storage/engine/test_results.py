"""The numbers of an epoch: written once, to the last bit, together with Optuna's."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from optuna.trial import TrialState

from storage.errors import EpochDiffers
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import ended

ODD = {
    "sum": 0.1 + 0.2,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "minus_zero": -0.0,
    "nan": math.nan,
    "up": math.inf,
    "down": -math.inf,
}


@pytest.fixture
def held(claim: Callable[..., Claim]) -> Claim:
    """A claimed trial."""
    return claim()


def test_every_bit_of_a_metric_comes_back(store: Store, held: Claim) -> None:
    store.record(held, 1, ODD, math.nan, seconds=0.1 + 0.2, images=2**40)
    (row,) = store.epochs("toy")
    assert {name: value.hex() for name, value in row.metrics.items()} == {
        name: value.hex() for name, value in ODD.items()
    }
    assert (row.seconds, row.images, row.attempt) == (0.1 + 0.2, 2**40, 1)
    assert math.isnan(row.value)


def test_optuna_has_the_same_value_at_the_same_epoch(store: Store, held: Claim) -> None:
    for epoch, value in enumerate((0.5, math.nan, math.inf), start=1):
        store.record(held, epoch, {"loss": 0.1}, value, seconds=1.0, images=10)
    heard = store.optuna_study("toy").trials[0].intermediate_values
    assert str(heard) == "{1: 0.5, 2: nan, 3: inf}"


def test_an_epoch_recorded_again_stays_as_it_was(store: Store, held: Claim) -> None:
    store.record(held, 1, ODD, 0.5, seconds=1.0, images=10)
    before = store.epochs("toy")[0].recorded_at
    store.record(held, 1, ODD, 0.5, seconds=1.0, images=10)
    assert [row.recorded_at for row in store.epochs("toy")] == [before]


@pytest.mark.parametrize(("value", "loss"), [(0.5, math.nextafter(0.4, 1)), (math.nan, 0.4)])
def test_an_epoch_recorded_again_with_other_numbers_is_refused(
    store: Store, held: Claim, value: float, loss: float
) -> None:
    store.record(held, 1, {"loss": 0.4}, 0.5, seconds=1.0, images=10)
    with pytest.raises(EpochDiffers, match="epoch 1 of trial 0 is recorded with"):
        store.record(held, 1, {"loss": loss}, value, seconds=1.0, images=10)
    assert store.epochs("toy")[0].metrics == {"loss": 0.4}


def test_a_repeated_epoch_may_take_another_time(store: Store, held: Claim) -> None:
    store.record(held, 1, {"loss": 0.4, "compute_s": 1.0}, 0.5, seconds=1.0, images=10)
    store.record(held, 1, {"loss": 0.4, "compute_s": 9.0}, 0.5, seconds=9.0, images=10)
    assert store.epochs("toy")[0].metrics["compute_s"] == 1.0


def test_the_next_attempt_may_record_what_the_last_one_did(
    store: Store, held: Claim, claim: Callable[..., Claim]
) -> None:
    store.record(held, 1, {"loss": 0.4}, 0.4, seconds=1.0, images=10)
    store.hand_back(held, "drained")
    second = claim("bob")
    for epoch in (1, 2):
        store.record(second, epoch, {"loss": 0.4}, 0.4, seconds=1.0, images=10)
    assert [(row.epoch, row.attempt) for row in store.epochs("toy")] == [(1, 1), (2, 2)]


def test_an_outcome_is_kept_beside_optunas_state(store: Store, held: Claim) -> None:
    store.tell(held, ended("FAIL", "data_error", "empty image: remove it"))
    (trial,) = store.trials("toy")
    assert (trial.state, trial.outcome) == ("FAIL", "data_error")
    assert trial.detail == "empty image: remove it"


def test_a_pruned_trial_has_its_last_value_for_optuna_and_none_for_us(
    store: Store, held: Claim
) -> None:
    for epoch, value in ((1, 0.3), (2, 0.4)):
        store.record(held, epoch, {"loss": value}, value, seconds=1.0, images=10)
    store.tell(held, ended("PRUNED", "pruned", "epoch 2"))
    assert store.optuna_study("toy").trials[0].value == 0.4
    assert store.trials("toy")[0].value is None


def test_a_trial_that_ran_out_of_memory_violates_a_constraint(store: Store, held: Claim) -> None:
    store.tell(held, ended("PRUNED", "out_of_memory", "batch 256"))
    (trial,) = store.optuna_study("toy").trials
    assert (trial.state, trial.constraints) == (TrialState.PRUNED, {"memory": 1.0})


@pytest.mark.parametrize(
    ("state", "value"), [("COMPLETE", None), ("COMPLETE", math.nan), ("FAIL", 0.0), ("PRUNED", 1.0)]
)
def test_only_a_complete_trial_has_a_value(state: Any, value: float | None) -> None:
    with pytest.raises(ValueError, match="cannot have the value"):
        TrialEnd(state=state, value=value, outcome=Outcome.FINISHED)
