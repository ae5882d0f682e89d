"""The sign of life of a trial, on a real store."""

import time
from datetime import datetime
from pathlib import Path

import pytest

from search.worker.beat import Beat
from storage.errors import LeaseLost
from storage.locks import wait_until
from storage.store import Store
from tests.search.toy_worker import make_worker, take


def heard_at(store: Store) -> datetime:
    return store.workers("toy")[0].seen_at


def test_a_trial_that_moves_keeps_its_lease_and_one_that_does_not_is_left(
    store: Store, tmp_path: Path
) -> None:
    claim = take(make_worker(store, tmp_path))
    with Beat(store, claim, beat_seconds=0.05, stall_minutes=0.02) as beat:
        before = heard_at(store)
        beat.progress()
        assert wait_until(lambda: heard_at(store) > before, 30)  # it beats
        time.sleep(2)  # longer than the 1.2 s of a stall
        silent = heard_at(store)
        time.sleep(0.5)
        assert heard_at(store) == silent
        beat.progress()
        assert wait_until(lambda: heard_at(store) > silent, 30)  # and beats again


def test_before_its_first_step_a_trial_has_an_hour(store: Store, tmp_path: Path) -> None:
    claim = take(make_worker(store, tmp_path))
    with Beat(store, claim, beat_seconds=0.05, stall_minutes=0.0001):
        before = heard_at(store)
        assert wait_until(lambda: heard_at(store) > before, 30)


def test_who_lost_the_lease_hears_of_it_at_the_next_step(store: Store, tmp_path: Path) -> None:
    claim = take(make_worker(store, tmp_path))
    with Beat(store, claim, beat_seconds=0.05, stall_minutes=15) as beat:
        store.end_leases("w", "killed")
        assert wait_until(lambda: beat.lost is not None, 30)
        with pytest.raises(LeaseLost, match="claim the next trial"):
            beat.progress()
