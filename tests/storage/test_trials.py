"""Trials, epochs, attempts and workers are read right, and in a few statements."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC

import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import event

from storage.store import Claim, Store
from tests.storage.samples import finished, new_study, stock_study

Claiming = Callable[..., Claim]


def follow(store: Store, claim: Claim, losses: Sequence[float]) -> None:
    for epoch, loss in enumerate(losses, start=1):
        store.record(claim, epoch, {"val_loss": loss}, loss, seconds=1.0, images=10)


def test_a_trial_shows_its_last_and_its_best_epoch(store: Store, claim: Claiming) -> None:
    follow(store, claim(), [math.nan, 0.3, 0.2, 0.2, 0.4])
    (trial,) = store.trials("toy")
    assert trial.last is not None
    assert trial.best is not None
    assert (trial.last.epoch, trial.best.epoch) == (5, 3)
    assert trial.best.metrics == {"val_loss": 0.2}


def test_the_best_of_a_maximised_metric_is_its_highest(store: Store) -> None:
    store.create(new_study("up", direction="maximize"))
    claim = store.claim("up", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    follow(store, claim, [0.3, math.nan, 0.5, 0.4])
    best = store.trials("up")[0].best
    assert best is not None
    assert best.epoch == 3


def test_parameters_come_back_as_they_were_drawn(store: Store) -> None:
    drawn = {"depth": "34", "lr": 1e-3, "batch_size": 64, "ldam": False, "nothing": None}
    store.create(new_study("queued", queue=[drawn]))
    claim = store.claim("queued", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        trial.suggest_categorical("depth", ["34", "50"])
        trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.suggest_int("batch_size", 1, 128)
        trial.suggest_categorical("ldam", [True, False])
        trial.suggest_categorical("nothing", [None, 1])
    params = store.trials("queued")[0].params
    assert list(params.items()) == list(drawn.items())


def test_a_waiting_trial_has_nothing_yet(store: Store) -> None:
    store.create(new_study("queued", queue=[{"x": 1}]))
    (trial,) = store.trials("queued")
    assert (trial.state, trial.attempts, trial.worker, trial.started_at) == (
        ("WAITING", 0, None, None)
    )
    assert (trial.is_leased, trial.last, trial.outcome) == (False, None, None)


def test_attempts_list_the_work_of_each_worker_and_its_end(store: Store, claim: Claiming) -> None:
    first = claim("ada")
    follow(store, first, [0.5, 0.4])
    store.end_leases("ada", "killed")
    second = claim("bob")
    follow(store, second, [0.5, 0.4, 0.3])
    store.tell(second, finished(0.3, detail="in time"))
    rows = store.attempts("toy", first.number)
    assert [(row.worker, row.epochs, row.reason) for row in rows] == [
        ("ada", 2, "killed"),
        ("bob", 1, "finished"),
    ]
    assert (rows[0].device, rows[0].threads) == ("cuda:0", 4)
    assert rows[0].machine["torch"] == "2.15"
    assert all(row.ended_at and row.ended_at > row.started_at for row in rows)


def test_a_lost_attempt_ends_with_its_last_sign_of_life(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    claim("ada")
    expire()
    claim("bob")
    lost, running = store.attempts("toy")
    assert lost.ended_at is not None
    assert lost.ended_at < running.started_at
    assert running.ended_at is None


def test_only_the_epochs_beyond_the_known_ones_are_read(store: Store, claim: Claiming) -> None:
    first, second = claim("ada"), claim("bob")
    follow(store, first, [0.9, 0.8, 0.7])
    follow(store, second, [0.6, 0.5])
    newer = store.epochs_after("toy", {first.number: 2, second.number: 0, 7: 0})
    assert [(row.number, row.epoch, row.value) for row in newer] == [
        (first.number, 3, 0.7),
        (second.number, 1, 0.6),
        (second.number, 2, 0.5),
    ]
    assert store.epochs_after("toy", {first.number: 3}) == []
    assert store.epochs_after("toy", {}) == []


def test_moments_are_in_utc(store: Store, claim: Claiming) -> None:
    store.tell(claim(), finished(1.0))
    (trial,) = store.trials("toy")
    assert trial.started_at is not None
    assert trial.started_at.tzinfo is UTC


def test_workers_show_the_trial_they_hold_and_how_they_ended(store: Store, claim: Claiming) -> None:
    claim("ada")
    held = claim("bob")
    store.worker_ended("ada", -9, "killed")
    store.end_leases("ada", "killed")
    ada, bob = store.workers("toy")
    assert (ada.exit_code, ada.reason, ada.trial) == (-9, "killed", None)
    assert (bob.trial, bob.ended_at) == (held.number, None)
    assert bob.seen_at > bob.started_at


def test_the_database_says_how_long_a_worker_has_been_silent(
    store: Store, claim: Claiming, sql: Callable[..., object]
) -> None:
    claim("bob")
    sql("UPDATE search_service.workers SET seen_at = seen_at - interval '1 hour'")
    ada, bob = (worker.silent_seconds for worker in store.workers("toy"))
    assert bob < 3600 <= ada  # a claim is a beat


@pytest.mark.parametrize("read", ["trials", "epochs", "attempts", "workers"])
def test_reading_takes_as_many_statements_for_many_trials_as_for_one(
    read: str, store: Store, claim: Claiming
) -> None:
    def statements() -> int:
        seen: list[str] = []

        def listen(*details: object) -> None:
            seen.append(str(details[2]))

        event.listen(store.engine, "before_cursor_execute", listen)
        getattr(store, read)("toy")
        event.remove(store.engine, "before_cursor_execute", listen)
        return len(seen)

    store.update_definition("toy", {}, trials=None)
    counts = []
    for _ in range(5):
        held = claim()
        follow(store, held, [0.5, 0.4])
        store.tell(held, finished(0.4))
        counts.append(statements())
    assert set(counts) == {counts[0]}
    assert counts[0] == 3  # limits, study, and one


def test_a_trial_ended_elsewhere_has_ended_when_it_did_not_when_its_worker_noticed(
    store: Store, claim: Claiming
) -> None:
    held = claim()
    stock_study(store).tell(held.number, state=TrialState.FAIL)
    before = store.trials("toy")
    store.end_leases("ada", "stopped")
    assert store.trials("toy") == before


def test_the_values_that_a_trial_is_trained_with_are_those_that_are_stored(
    store: Store, backend: RDBStorage, claim: Claiming
) -> None:
    """Another program that began the trial by `ask` draws at the same moment."""
    held, uniform = claim(), FloatDistribution(0, 1)
    with store.trial(held, lambda _: RandomSampler(seed=0)) as trial:
        drawn = trial.suggest_float("lr", 0, 1)
        backend.set_trial_param(held.trial_id, "lr", 0.123, uniform)
    (stored,) = store.trials("toy")
    assert stored.params == {"lr": drawn}
