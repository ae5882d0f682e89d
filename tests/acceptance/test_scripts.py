"""A script of one's own keeps the promises: killed, stopped and begun again, it loses no epoch."""

import time
from contextlib import suppress

import psutil
import pytest

from search.database import open_store
from storage.errors import UnknownStudy
from tests.acceptance.own_code import scripts_of

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

STUDY = """
from spaces.params import Float
from spaces.script import Script
from spaces.study import Pruning, Study

study = Study(
    name="mine", objective=Script("python train.py {learning_rate}", grace_seconds=10.0),
    metric="val_loss", direction="minimize", trials=4, pruning=Pruning("none"),
    fixed={"epochs": 5}, space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""
# Saves, then reports; what it has saved is reported again first.
TRAIN = """
import json, sys, time
from search.script import trial

epoch, loss = 0, 1 / (1 + float(sys.argv[1]))
if trial.resume_from:
    epoch, loss = json.loads((trial.resume_from / "state.json").read_text())
    trial.report(epoch, val_loss=loss)
for epoch in range(epoch + 1, trial.config["epochs"] + 1):
    for _ in range(6):
        time.sleep(0.05)
        trial.progress()
    loss *= 0.8
    (trial.folder / "new.json").write_text(json.dumps([epoch, loss]))
    (trial.folder / "new.json").replace(trial.folder / "state.json")
    trial.report(epoch, val_loss=loss)
print("trained")
"""


@pytest.fixture
def store(place):
    (place.folder / "mine.py").write_text(STUDY)
    (place.folder / "train.py").write_text(TRAIN)
    with open_store(place.settings) as opened:
        yield opened


def test_a_killed_worker_a_killed_script_and_ctrl_c_lose_no_epoch_of_a_script(place, store):
    run = start(place)
    kill_one_that_trains(place, store, run, "search.cli")
    kill_one_that_trains(place, store, run, "train.py")
    wait_for_an_epoch(store)
    run.terminate()
    assert run.wait(60) == 75
    assert scripts_of(place) == []

    assert start(place).wait(120) == 0

    trials = store.trials("mine")
    assert [trial.state for trial in trials] == ["COMPLETE"] * 4
    epochs = [(row.number, row.epoch) for row in store.epochs("mine")]
    assert epochs == [(number, epoch) for number in range(4) for epoch in range(1, 6)]
    assert {row.reason for row in store.attempts("mine")} >= {"killed", "drained", "finished"}
    assert scripts_of(place) == []


def start(place):
    """Start the study with two workers, or go on with it."""
    return place.start("run", "--study", "mine.py", "--workers", "2", "--no-dashboard")


def kill_one_that_trains(place, store, run, word):
    """Kill a process of a run with this word in its command, once a trial has another epoch."""
    wait_for_an_epoch(store)
    victim = next(
        each
        for each in psutil.Process(run.pid).children(recursive=True)
        if word in " ".join(each.cmdline()) and "keeper.py" not in " ".join(each.cmdline())
    )
    victim.kill()


def wait_for_an_epoch(store):
    """Wait until a trial has another epoch."""
    known = count_epochs(store)
    wait_until(lambda: count_epochs(store) > known)


def count_epochs(store):
    """Count the epochs that the study has; none before it is stored."""
    with suppress(UnknownStudy):
        return len(store.epochs("mine"))
    return 0


def wait_until(answer):
    """Ask until the answer is yes."""
    deadline = time.monotonic() + 60
    while not answer():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.05)
