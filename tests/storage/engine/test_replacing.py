"""Epochs of code that is not deterministic: the newest course of training counts, all are kept."""

import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from sqlalchemy import Engine, event

from storage.engine import steps
from storage.errors import EpochDiffers, LeaseLost
from storage.locks import wait_until
from storage.rows import EpochRow
from storage.store import Claim, Store
from tests.storage.samples import finished

Claiming = Callable[..., Claim]
Curve = list[tuple[int, int, float]]  # epoch, attempt and loss


def record(store: Store, claim: Claim, losses: dict[int, float]) -> None:
    for epoch, loss in losses.items():
        metrics = {"loss": loss, "step_s": random.random()}
        store.record(claim, epoch, metrics, loss, seconds=1.0, images=10, is_deterministic=False)


def again(store: Store, held: Claim, claim: Claiming, reason: str = "drained") -> Claim:
    store.hand_back(held, reason)
    return claim(held.worker)


def curve(rows: list[EpochRow]) -> Curve:
    return [(row.epoch, row.attempt, row.metrics["loss"]) for row in rows]


def steps_of(store: Store) -> dict[int, float]:
    """The curve as a program of Optuna reads it."""
    return dict(store.optuna_study("toy").trials[0].intermediate_values)


def test_other_numbers_begin_another_curve_and_the_old_one_is_kept(
    store: Store, claim: Claiming
) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8, 3: 0.7})
    before = store.epochs("toy", 0)
    record(store, again(store, first, claim), {2: 0.5})
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9), (2, 2, 0.5)]
    assert store.replaced_epochs("toy", 0) == before[1:]
    assert steps_of(store) == {1: 0.9, 2: 0.5}
    (trial, *_) = store.trials("toy")
    assert trial.last
    assert trial.best
    assert (trial.last.epoch, trial.best.value) == (2, 0.5)


def test_equal_numbers_stay_as_the_first_attempt_recorded_them(
    store: Store, claim: Claiming
) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: math.nan, 3: math.inf})
    before = store.epochs("toy", 0)
    record(store, again(store, first, claim), {1: 0.9, 2: math.nan, 3: math.inf})
    assert str(store.epochs("toy", 0)) == str(before)
    assert store.replaced_epochs("toy", 0) == []


def test_one_metric_that_differs_is_enough(store: Store, claim: Claiming) -> None:
    first = claim()
    for held, top1 in ((first, 0.5), (None, math.nextafter(0.5, 1))):
        held = held or again(store, first, claim)
        metrics = {"loss": 0.9, "top1": top1}
        store.record(held, 1, metrics, 0.9, seconds=1.0, images=10, is_deterministic=False)
    assert curve(store.epochs("toy", 0)) == [(1, 2, 0.9)]
    assert curve(store.replaced_epochs("toy", 0)) == [(1, 1, 0.9)]


def test_an_epoch_that_its_own_attempt_reports_again_must_be_the_same(
    store: Store, claim: Claiming
) -> None:
    held = claim()
    record(store, held, {1: 0.9})
    record(store, held, {1: 0.9})
    with pytest.raises(EpochDiffers, match=r"loss 0\.9, and now it is 0\.8; let the"):
        record(store, held, {1: 0.8})
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9)]


def test_an_epoch_replaces_none_of_its_own_attempt(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8})
    second = again(store, first, claim)
    record(store, second, {2: 0.5, 1: 0.6})
    assert curve(store.epochs("toy", 0)) == [(1, 2, 0.6), (2, 2, 0.5)]


def test_a_deterministic_study_replaces_nothing(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9})
    second = again(store, first, claim)
    with pytest.raises(EpochDiffers, match="go on with this study on the same data"):
        store.record(second, 1, {"loss": 0.8}, 0.8, seconds=1.0, images=10)
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9)]


def test_a_replacing_epoch_is_one_statement(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8})
    second = again(store, first, claim)
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    record(store, second, {1: 0.7})
    assert len(sent) == 1


def test_a_trial_that_ends_earlier_than_before_keeps_the_shorter_curve(
    store: Store, claim: Claiming
) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.1, 3: 0.7})
    second = again(store, first, claim)
    record(store, second, {1: 0.9})
    store.tell(second, finished(0.9, last_epoch=1))
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9)]
    assert curve(store.replaced_epochs("toy", 0)) == [(2, 1, 0.1), (3, 1, 0.7)]
    assert steps_of(store) == {1: 0.9}


def test_arrays_that_go_on_have_the_curve_that_counts(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.1, 3: 0.7})
    store.arrays("toy")
    second = again(store, first, claim)
    record(store, second, {1: 0.8, 2: 0.6})
    store.arrays("toy")
    store.tell(second, finished(0.6, last_epoch=2))
    arrays = store.arrays("toy")
    assert (arrays.last_steps[0], arrays.last_values[0]) == (2, 0.6)
    assert arrays.curves.best_until(np.array([1])).tolist() == [0.8]


def test_the_hours_of_replaced_epochs_are_lost(
    store: Store, claim: Claiming, sql: Callable[..., list[tuple[float, ...]]]
) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8})
    sql("UPDATE search_service.attempts SET started_at = started_at - interval '1 hour'")
    second = again(store, first, claim)
    before = store.gpu_seconds("toy").seconds
    record(store, second, {1: 0.5})
    now = store.gpu_seconds("toy").seconds
    assert before.running > 3600 > before.lost
    assert now.lost > 3600 > now.running


def test_the_ledger_counts_what_was_replaced(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8, 3: 0.7})
    record(store, again(store, first, claim), {2: 0.5})
    assert [(row.epochs, row.replaced) for row in store.attempts("toy")] == [(3, 2), (1, 0)]
    assert store.has_progressed("ada")


def test_starting_over_again_and_again_is_no_progress(store: Store, claim: Claiming) -> None:
    held = claim()
    record(store, held, {1: 0.9, 2: 0.8, 3: 0.7})
    for loss in (0.5, 0.4, 0.3):
        held = again(store, held, claim, "killed")
        record(store, held, {1: loss})
    store.hand_back(held, "killed")
    (trial,) = store.trials("toy")
    assert (trial.state, trial.outcome) == ("FAIL", "killed")
    assert trial.detail
    assert "without a new epoch between: killed, killed, killed" in trial.detail


def test_getting_further_than_before_is_progress(store: Store, claim: Claiming) -> None:
    held = claim()
    record(store, held, {1: 0.9})
    for reached in (1, 2, 2, 3, 3):
        held = again(store, held, claim, "killed")
        record(store, held, dict.fromkeys(range(1, reached + 1), 1 / held.attempt))
    assert store.trials("toy")[0].state == "RUNNING"


def test_a_stale_attempt_replaces_nothing(store: Store, claim: Claiming) -> None:
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8})
    stale = again(store, first, claim)
    newest = again(store, stale, claim)
    with pytest.raises(LeaseLost):
        record(store, stale, {1: 0.1})
    record(store, newest, {2: 0.5})
    with pytest.raises(LeaseLost):
        record(store, stale, {2: 0.1})
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9), (2, 3, 0.5)]


def test_the_same_epoch_sent_twice_at_once_is_replaced_once(
    store: Store, claim: Claiming, engine: Engine, sql: Callable[..., list[object]]
) -> None:
    """The first answer is lost, and its statement still waits when the second one is sent."""
    first = claim()
    record(store, first, {1: 0.9, 2: 0.8})
    second = again(store, first, claim)
    numbers = {"value": 0.5, "seconds": 1.0, "images": 10}
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    with ThreadPoolExecutor(1) as other:
        with engine.begin() as lost:
            metrics = {"loss": 0.5}
            steps.record(lost, second, 1, numbers=numbers, metrics=metrics, is_deterministic=False)
            repeated = other.submit(record, store, second, {1: 0.5})
            assert wait_until(lambda: bool(sql(waiting)), patience_seconds=5)
        repeated.result()
    assert curve(store.epochs("toy", 0)) == [(1, 2, 0.5)]
    assert curve(store.replaced_epochs("toy", 0)) == [(1, 1, 0.9), (2, 1, 0.8)]


@dataclass
class Course:
    """A trial as it must be stored, with its attempts played one after the other.

    kept: by epoch, the attempt and the loss.
    replaced: every row that was kept once.
    """

    kept: dict[int, tuple[int, float]] = field(default_factory=dict)
    replaced: Curve = field(default_factory=list)

    def take(self, attempt: int, epoch: int, loss: float) -> None:
        if self.kept.get(epoch, (0, None))[1] == loss:
            return
        for each in sorted(self.kept):
            if each >= epoch:
                self.replaced.append((each, *self.kept.pop(each)))
        self.kept[epoch] = attempt, loss


def played(chance: random.Random, reached: int) -> Iterator[tuple[int, float]]:
    """Yield the epochs of an attempt: from the start or from where it was saved, often the same."""
    begin = chance.randint(1, reached + 1)
    for epoch in range(begin, begin + chance.randint(0, 5)):
        yield epoch, float(chance.choice((epoch, epoch, epoch, -epoch)))


@pytest.mark.parametrize("seed", range(4))
def test_every_course_of_attempts_leaves_the_newest_curve_and_all_others(
    store: Store, claim: Claiming, seed: int
) -> None:
    chance, wanted = random.Random(seed), Course()
    held = claim()
    for _ in range(8):
        for epoch, loss in played(chance, len(wanted.kept)):
            for _ in range(chance.choice((1, 1, 2))):  # an answer is lost now and then
                record(store, held, {epoch: loss})
            wanted.take(held.attempt, epoch, loss)
        now = [(epoch, *wanted.kept[epoch]) for epoch in sorted(wanted.kept)]
        assert curve(store.epochs("toy", 0)) == now
        assert steps_of(store) == {epoch: loss for epoch, _, loss in now}
        held = again(store, held, claim, chance.choice(("drained", "stopped")))
    assert [epoch for epoch, _, _ in now] == list(range(1, len(now) + 1))
    replaced = sorted(wanted.replaced, key=lambda row: (row[1], row[0]))
    assert curve(store.replaced_epochs("toy", 0)) == replaced
