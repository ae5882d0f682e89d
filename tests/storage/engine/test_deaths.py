"""Deaths, stalls and lost CUDA contexts: the trials given up, and the workers found to hang."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from storage.engine import steps
from storage.locks import wait_until
from storage.store import Claim, Store

Claiming = Callable[..., Claim]


def test_a_trial_that_kills_three_workers_in_a_row_is_given_up(
    store: Store, claim: Claiming
) -> None:
    for _ in range(3):
        held = claim()
        store.end_leases("ada", "killed")

    row = store.trials("toy")[0]
    assert (row.state, row.outcome, row.attempts) == ("FAIL", "killed", 3)
    assert row.detail == "3 attempts ended without a new epoch between: killed, killed, killed"
    assert claim().number == held.number + 1


def test_stalls_and_cuda_errors_count_like_deaths(store: Store, claim: Claiming) -> None:
    claim()
    store.end_leases("ada", "killed")
    claim()
    store.end_leases("ada", "stalled")
    store.hand_back(claim(), "cuda_error", "AcceleratorError: CUDA error")

    row = store.trials("toy")[0]
    assert (row.state, row.outcome, row.attempts) == ("FAIL", "cuda_error", 3)
    assert row.detail == (
        "3 attempts ended without a new epoch between: killed, stalled, cuda_error; "
        "AcceleratorError: CUDA error"
    )


def test_a_lost_device_is_no_death_of_its_trial(store: Store, claim: Claiming) -> None:
    for _ in range(4):
        claim()
        store.end_leases("ada", "device lost")
    store.hand_back(claim(), "device lost", "GPU 3 of box is lost: CUDA sees no device")

    row = store.trials("toy")[0]
    assert (row.state, row.attempts) == ("RUNNING", 5)


def test_progress_between_two_deaths_starts_their_count_again(
    store: Store, claim: Claiming
) -> None:
    for epoch in (None, None, 1, None, None):
        held = claim()
        if epoch:
            store.record(held, epoch, {"val_loss": 0.5}, 0.5, seconds=1.0, images=100)
        store.end_leases("ada", "killed")

    assert store.trials("toy")[0].state == "RUNNING"


@pytest.mark.parametrize("way", ["hand back", "end leases"])
def test_an_epoch_that_is_written_while_its_worker_is_declared_dead_counts(
    store: Store, claim: Claiming, engine: Engine, sql: Callable[..., list[object]], way: str
) -> None:
    for _ in range(2):
        claim()
        store.end_leases("ada", "killed")
    held = claim()
    end: dict[str, Callable[[], object]] = {
        "hand back": lambda: store.hand_back(held, "killed"),
        "end leases": lambda: store.end_leases("ada", "killed"),
    }
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    with ThreadPoolExecutor(1) as other:
        with engine.begin() as dying:
            numbers = {"value": 0.5, "seconds": 1.0, "images": 100}
            loss = {"val_loss": 0.5}
            steps.record(dying, held, 1, numbers=numbers, metrics=loss, is_deterministic=True)
            ending = other.submit(end[way])
            assert wait_until(lambda: bool(sql(waiting)), patience_seconds=5)
        ending.result()

    assert store.trials("toy")[0].state == "RUNNING"
    assert [row.reason for row in store.attempts("toy")] == ["killed"] * 3


def test_a_stopped_worker_did_not_die_of_its_trial(store: Store, claim: Claiming) -> None:
    for _ in range(5):
        claim()
        store.end_leases("ada", "stopped")

    assert store.trials("toy")[0].state == "RUNNING"


def test_a_worker_is_overdue_once_its_lease_ran_out_and_until_it_beats_again(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    held = claim("ada")
    assert [row.is_overdue for row in store.workers("toy")] == [False, False]
    expire()
    assert [row.is_overdue for row in store.workers("toy")] == [True, False]
    store.beat(held)
    assert [row.is_overdue for row in store.workers("toy")] == [False, False]


def test_a_worker_that_lost_its_trial_is_overdue_until_it_claims_another(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    claim("ada")
    expire()
    claim("bob")
    assert [row.is_overdue for row in store.workers("toy")] == [True, False]
    claim("ada")
    assert [row.is_overdue for row in store.workers("toy")] == [False, False]


def test_a_worker_that_hung_until_another_had_its_trial_counts_as_stalled(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    claim("ada")
    expire()
    bob = claim("bob")
    store.end_leases("ada", "stalled")
    assert [row.reason for row in store.attempts("toy", 0)] == ["stalled", None]
    for _ in range(2):
        store.hand_back(bob, "cuda_error")
        bob = claim("bob")
    (trial, _) = store.trials("toy")
    assert (trial.state, trial.outcome) == ("FAIL", "cuda_error")


def test_a_worker_that_went_on_after_losing_its_trial_did_not_stall_in_it(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    claim("ada")
    expire()
    claim("bob")
    claim("ada")
    store.end_leases("ada", "stalled")
    assert [row.reason for row in store.attempts("toy", 0)] == ["lost", None]
    assert [row.reason for row in store.attempts("toy", 1)] == ["stalled"]


def test_a_trial_that_hung_three_times_is_given_up_when_its_holder_hands_it_back(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    for _ in range(3):
        claim("ada")
        expire()
        held = claim("bob")
        store.end_leases("ada", "stalled")
        store.hand_back(held, "drained")
    (trial,) = store.trials("toy")
    assert (trial.state, trial.outcome) == ("FAIL", "stalled")
