"""Real processes at the same door at the same moment."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from storage.errors import LeaseLost
from storage.locks import wait_until
from storage.store import Claim, Store
from tests.storage.samples import new_worker

CLAIMER = Path(__file__).with_name("claimer.py")
WORKERS = ("carl", "dora", "emil", "fred")
Recorded = tuple[int, int, float]  # attempt, epoch and value


@contextmanager
def claimers(url: str, names: Sequence[str]) -> Iterator[IO[str]]:
    """Start workers that end with the block at the latest; yield the lines that tell their ends."""
    command = [sys.executable, str(CLAIMER), url, *names]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


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
    store: Store, database_url: str
) -> None:
    """Two of them are killed -9 in the middle of a trial; both trials are ended by others."""
    store.update_definition("toy", {}, trials=40)
    store.request_stop("toy", "drain")  # until all stand at the door
    mortals = [f"mortal{index}" for index in range(2)]
    others = [f"other{index}" for index in range(6)]
    with claimers(database_url, [*mortals, *others]) as ends:
        assert wait_until(lambda: len(store.workers("toy")) == 2 + 8, patience_seconds=60)
        store.clear_stop("toy")
        first = {ends.readline().strip() for _ in mortals}  # the others wait for their trials
        assert first == {f"{name} {-signal.SIGKILL}" for name in mortals}
        assert [store.end_leases(name, "killed") for name in mortals] == [1, 1]
        assert {line.strip() for line in ends} == {f"{name} 0" for name in others}

    trials = store.trials("toy")
    assert [trial.number for trial in trials] == list(range(40))
    assert Counter(trial.state for trial in trials) == {"COMPLETE": 32, "FAIL": 8}
    assert Counter(trial.attempts for trial in trials) == {1: 38, 2: 2}
    assert len(store.epochs("toy")) == 40
