"""Real processes at the same door at the same moment."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.locks import wait_until
from storage.store import Store

CLAIMER = Path(__file__).with_name("claimer.py")
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
