"""A keeper and real processes in the place of its worker, which end as they are told."""

import sys
from threading import Event

import psutil
import pytest

from search.fleet.engine import State
from search.fleet.ray import keeper
from search.fleet.ray.duty import Duty
from search.processes.devices import DeviceShare
from storage.locks import wait_until

SHARE = DeviceShare(index=1, device="cpu", visible="", threads=1)
UNTIL_SIGTERM = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(75)); "
UNTIL_SIGTERM += "print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Keeps a Python process that runs some code; yields a function that returns its keeper."""
    kept = []

    def start(code, over=lambda: None):
        monkeypatch.setattr(keeper, "this_program", lambda: [sys.executable, "-c", code])
        kept.append(keeper.Keeper(duty(tmp_path), SHARE, {}, over))
        return kept[-1]

    yield start
    for each in kept:
        each.kill()
        each.leave()
        wait_until(lambda each=each: each.slot().pid is None, 5)


@pytest.mark.parametrize(
    ("code", "state"), [(2, "refused"), (3, "refused"), (4, "refused"), (76, "GPU lost")]
)
def test_a_worker_whose_restart_would_not_help_is_not_started_again(keep, code, state):
    kept = keep(f"import sys; print('the data differ', file=sys.stderr); sys.exit({code})")
    assert wait_until(lambda: kept.slot().state == state, 10)
    assert (kept.slot().restarts, kept.slot().reason) == (0, "the data differ")


@pytest.mark.parametrize("code", [1, 75])
def test_a_worker_that_asks_for_it_or_dies_is_started_again(keep, code):
    kept = keep(f"import sys; sys.exit({code})")
    assert wait_until(lambda: (kept.slot().restarts or 0) >= 2, 20)


def test_where_nothing_is_left_to_do_the_keeper_is_over(keep):
    over = Event()
    kept = keep("", over.set)
    assert over.wait(10)
    assert kept.slot().state is State.DONE


def test_a_drained_worker_gets_its_signal_and_comes_back_on_a_new_duty(keep, tmp_path):
    kept, log = keep(UNTIL_SIGTERM), tmp_path / "logs" / "toy" / "fleet-worker-1.log"
    assert wait_until(lambda: log.is_file() and "ready" in log.read_text(), 10)
    kept.drain()
    assert wait_until(lambda: kept.slot().state is State.DRAINED, 10)
    assert kept.slot().pid is None

    kept.renew(duty(tmp_path))
    assert wait_until(lambda: kept.slot().state is State.UP, 10)


def test_the_next_worker_after_a_new_duty_has_its_variables(keep, tmp_path):
    shows = "import os, time; print(os.environ.get('SEARCH_ARTIFACTS'), flush=True); time.sleep(60)"
    kept, log = keep(shows), tmp_path / "logs" / "toy" / "fleet-worker-1.log"
    assert wait_until(lambda: log.is_file() and "None" in log.read_text(), 10)
    kept.renew(duty(tmp_path, SEARCH_ARTIFACTS="/share"))
    psutil.Process(kept.slot().pid).kill()
    assert wait_until(lambda: "/share" in log.read_text(), 10)


def duty(home, **environment):
    return Duty(
        study="toy",
        name="toy-1/1",
        words=["worker"],
        environment=environment,
        home=str(home),
        per_gpu=1,
        uses_gpu=True,
    )
