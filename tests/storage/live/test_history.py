"""The best value so far, and a sample of all trials."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest

from storage.live.history import add_steps
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, new_study, new_worker

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]


def end_with(store: Store, study: str, value: float) -> int:
    claim = store.claim(study, f"worker of {study}", lease_seconds=30)
    assert isinstance(claim, Claim)
    store.tell(claim, finished(value))
    return claim.number


def new(store: Store, study: str, direction: str) -> None:
    store.create(new_study(study, direction=direction, trials=None))
    store.register_worker(study, new_worker(f"worker of {study}"))


@pytest.mark.parametrize(("direction", "steps"), [("minimize", [0, 2, 5]), ("maximize", [0, 1, 4])])
def test_the_steps_are_the_trials_that_were_the_best_when_they_ended(
    store: Store, direction: str, steps: list[int]
) -> None:
    new(store, "steps", direction)
    before = store.look("steps")
    for value in (0.5, 0.6, 0.4, 0.4, float("inf"), 0.3):
        end_with(store, "steps", value)
    found = store.best_steps("steps")
    trials = {trial.number: trial for trial in store.trials("steps")}
    assert [step.number for step in found] == steps
    assert [(step.value, step.ended_at) for step in found] == [
        (trials[number].value, trials[number].ended_at) for number in steps
    ]
    assert add_steps([], store.look("steps", before).ended, direction) == found


def test_a_trial_is_a_step_by_the_moment_of_its_end_and_not_by_its_number(
    store: Store, claim: Claiming
) -> None:
    slow, quick = claim("ada"), claim("bob")
    store.tell(quick, finished(0.4))
    store.tell(slow, finished(0.5))
    assert [step.number for step in store.best_steps("toy")] == [quick.number]


@pytest.mark.parametrize("seed", range(3))
def test_steps_that_go_on_are_those_of_a_fresh_reading(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    new(store, "steps", "minimize")
    look, steps = store.look("steps"), store.best_steps("steps")
    for _ in range(30):
        end_with(store, "steps", draw.random())
        if draw.random() < 0.4:
            look = store.look("steps", look)
            steps = add_steps(steps, look.ended, "minimize")
    steps = add_steps(steps, store.look("steps", look).ended, "minimize")
    assert steps == store.best_steps("steps")


def test_trials_that_were_pruned_or_failed_are_no_steps(store: Store, claim: Claiming) -> None:
    pruned = claim("ada")
    store.record(pruned, 1, {"loss": 0.1}, 0.1, seconds=1.0, images=1)
    store.tell(pruned, ended("PRUNED", "pruned"))
    store.tell(claim("ada"), ended("FAIL", "code_error"))
    assert store.best_steps("toy") == []
    rows = store.values("toy", most=400)
    assert [(row.number, row.outcome, row.value) for row in rows] == [
        (0, "pruned", 0.1),
        (1, "code_error", None),
    ]
    assert [row.ended_at for row in rows] == [trial.ended_at for trial in store.trials("toy")]


def test_a_sample_has_equal_distances_and_keeps_its_trials_as_the_study_grows(
    store: Store,
) -> None:
    new(store, "steps", "minimize")
    for number in range(9):
        assert end_with(store, "steps", number / 10) == number
    sampled = [row.number for row in store.values("steps", most=5)]
    assert sampled == [0, 2, 4, 6, 8]
    end_with(store, "steps", 0.5)
    end_with(store, "steps", 0.5)
    assert [row.number for row in store.values("steps", most=5)] == [0, 4, 8]
    assert len(store.values("steps", most=11)) == 11


def test_what_runs_or_was_ended_by_another_program_is_told_apart(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    claim("ada")
    assert store.values("toy", most=400) == []
    ended_at = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
    sql(
        "UPDATE trials SET state = 'FAIL', datetime_complete = :at",
        at=ended_at.replace(tzinfo=None),
    )
    (row,) = store.values("toy", most=400)
    assert (row.outcome, row.value, row.ended_at) == ("ended_elsewhere", None, ended_at)
