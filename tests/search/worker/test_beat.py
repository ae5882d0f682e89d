"""The sign of life of a leased trial, on a real store."""

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from search.worker.leased_trial import Halt, Halted, LeasedTrial
from storage.locks import wait_until
from storage.store import Store
from tests.search.toy_worker import lease, make_worker


def beating_often(store: Store, home: Path, stall_minutes: float) -> LeasedTrial:
    worker = make_worker(store, home, stall_minutes=stall_minutes)
    return lease(replace(worker, settings=replace(worker.settings, beat_seconds=0.05)))


def heard_at(store: Store) -> datetime:
    return store.workers("toy")[0].seen_at


def test_a_trial_that_moves_keeps_its_lease_and_one_that_does_not_is_left(
    store: Store, tmp_path: Path
) -> None:
    with beating_often(store, tmp_path, stall_minutes=0.02) as leased:
        before = heard_at(store)
        leased.progress()
        assert wait_until(lambda: heard_at(store) > before, 30)  # it beats
        time.sleep(2)  # longer than the 1.2 s of a stall
        silent = heard_at(store)
        leased.check()  # which is no progress
        time.sleep(0.5)
        assert heard_at(store) == silent
        leased.progress()
        assert wait_until(lambda: heard_at(store) > silent, 30)  # and beats again


def test_a_beat_brings_the_readings_of_the_workers_process(store: Store, tmp_path: Path) -> None:
    with beating_often(store, tmp_path, stall_minutes=15):
        assert wait_until(lambda: store.workers("toy")[0].readings is not None, 30)
    (worker,) = store.workers("toy")
    assert worker.readings.keys() == {"rss_bytes", "cpu_percent"}
    assert worker.readings["rss_bytes"] == pytest.approx(psutil.Process().memory_info().rss, rel=1)


def test_before_its_first_step_a_trial_has_an_hour(store: Store, tmp_path: Path) -> None:
    with beating_often(store, tmp_path, stall_minutes=0.0001):
        before = heard_at(store)
        assert wait_until(lambda: heard_at(store) > before, 30)


def test_a_lost_lease_halts_the_attempt_at_its_next_step(store: Store, tmp_path: Path) -> None:
    with beating_often(store, tmp_path, stall_minutes=15) as leased:
        store.end_leases("w", "killed")
        assert wait_until(lambda: leased.halt is Halt.LOST, 30)
        with pytest.raises(Halted):
            leased.progress()


@pytest.mark.parametrize(("asked", "halt"), [("drain", Halt.DRAINING), ("now", Halt.STOPPED)])
def test_a_stop_in_the_database_halts_the_attempt_by_its_beat(
    asked: str, halt: Halt, store: Store, tmp_path: Path
) -> None:
    with beating_often(store, tmp_path, stall_minutes=15) as leased:
        assert leased.halt is None
        store.request_stop("toy", asked)
        assert wait_until(lambda: leased.halt is halt, 30)


def test_a_signal_halts_the_attempt_and_a_second_one_does_so_in_the_epoch(
    store: Store, tmp_path: Path
) -> None:
    leased = lease(make_worker(store, tmp_path))
    leased.worker.flag.drain()
    leased.progress()  # the epoch goes on
    assert leased.halt is Halt.DRAINING
    leased.check()
    leased.worker.flag.now = True
    for step in (leased.progress, leased.check):
        with pytest.raises(Halted):
            step()
