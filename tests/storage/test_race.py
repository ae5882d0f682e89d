"""Real processes at the same door at the same moment."""

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from storage.errors import LeaseLost
from storage.locks import wait_until
from storage.store import Claim, Store
from tests.storage.samples import new_worker

CLAIMER = Path(__file__).with_name("claimer.py")
WORKERS = ("carl", "dora", "emil", "fred")
Recorded = tuple[int, int, float]  # attempt, epoch and value
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python process that ends with the test at the latest."""
    processes = []

    def start(*arguments: object) -> "subprocess.Popen[bytes]":
        processes.append(subprocess.Popen([sys.executable, *map(str, arguments)]))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def take_and_record(url: str, worker: str, seed: int) -> set[Recorded]:
    """Take the trial from whoever has it and record a course of its own, again and again.

    Returns what the database acknowledged.
    """
    chance, recorded = random.Random(seed), set()
    with Store.open(url) as store:
        store.register_worker("toy", new_worker(worker))
        for _ in range(12):
            store.end_leases(chance.choice(WORKERS), "stopped")
            held = store.claim("toy", worker, lease_seconds=30)
            if not isinstance(held, Claim):
                continue
            with suppress(LeaseLost):
                for epoch in range(1, chance.randint(2, 6)):
                    value = chance.random()
                    store.record(
                        held, epoch, {}, value, seconds=1.0, images=1, is_deterministic=False
                    )
                    recorded.add((held.attempt, epoch, value))
    return recorded


@pytest.mark.slow
def test_workers_that_take_a_trial_from_each_other_leave_one_curve_and_lose_nothing(
    store: Store, database_url: str
) -> None:
    store.update_definition("toy", {}, trials=1)
    with ThreadPoolExecutor(len(WORKERS)) as pool:
        places = range(len(WORKERS))
        every = pool.map(take_and_record, [database_url] * len(WORKERS), WORKERS, places)
        recorded = set().union(*every)

    curve, replaced = store.epochs("toy", 0), store.replaced_epochs("toy", 0)
    assert [row.epoch for row in curve] == list(range(1, len(curve) + 1))
    assert [row.attempt for row in curve] == sorted(row.attempt for row in curve)
    assert {(row.attempt, row.epoch, row.value) for row in [*curve, *replaced]} == recorded
    assert len(curve) + len(replaced) == len(recorded)
    assert len({attempt for attempt, _, _ in recorded}) > len(WORKERS)
    steps = store.optuna_study("toy").trials[0].intermediate_values
    assert steps == {row.epoch: row.value for row in curve}


@pytest.mark.slow
def test_eight_workers_begin_exactly_as_many_trials_as_the_budget_says(
    store: Store, database_url: str, start: Start
) -> None:
    """Two of them are killed -9 in the middle of a trial; both trials are ended by others."""
    store.update_definition("toy", {}, trials=40)
    store.request_stop("toy", "drain")  # until all stand at the door
    mortals = [start(CLAIMER, database_url, f"mortal{index}", "mortal") for index in range(2)]
    others = [start(CLAIMER, database_url, f"other{index}", "immortal") for index in range(6)]
    assert wait_until(lambda: len(store.workers("toy")) == 2 + 8, patience_seconds=60)
    store.clear_stop("toy")
    assert [mortal.wait(60) for mortal in mortals] == [-signal.SIGKILL] * 2
    assert [store.end_leases(f"mortal{index}", "killed") for index in range(2)] == [1, 1]
    assert [other.wait(60) for other in others] == [0] * 6

    trials = store.trials("toy")
    assert [trial.number for trial in trials] == list(range(40))
    assert Counter(trial.state for trial in trials) == {"COMPLETE": 32, "FAIL": 8}
    assert Counter(trial.attempts for trial in trials) == {1: 38, 2: 2}
    assert len(store.epochs("toy")) == 40
