"""The promises of `search run`, through real interrupts and kills on a Postgres of its own."""

import re
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from objectives.files import checkpoints
from search.database import open_store
from storage.errors import UnknownStudy

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS = 4
ALONE = ("--workers", "1")  # a second worker would only start


@pytest.fixture
def store(place):
    with open_store(place.settings) as opened:
        yield opened


@dataclass(frozen=True)
class Continued:
    """A trial whose worker was killed: what stood of it at that moment."""

    number: int
    recorded: int
    checkpoint: Path


@pytest.fixture(scope="module")
def continued(place):
    """Kills a worker in the middle of its trial and lets the run go on to its end."""
    run = place.start_run("killed")
    with open_store(place.settings) as store:
        victim = min(wait_for_training(run, store, "killed"), key=lambda row: row.last.epoch)
        worker = next(row for row in store.workers("killed") if row.trial == victim.number)
        psutil.Process(worker.pid).kill()
        recorded = len(store.epochs("killed", victim.number))
    folder = place.settings.attempt_folder("killed", victim.number, 1, worker.worker)
    saved = checkpoints.newest_good([folder])
    assert run.wait(60) == 0
    return Continued(victim.number, recorded, saved)


def test_ctrl_c_drains_and_the_next_run_ends_at_exactly_the_budget(place, store):
    run = place.start_run("interrupted")
    wait_for_training(run, store, "interrupted")

    run.send_signal(signal.SIGINT)

    assert run.wait(30) == 75
    assert "drained" in {attempt.reason for attempt in store.attempts("interrupted")}
    assert len(finals(store, "interrupted")) < TRIALS
    assert place.start_run("interrupted", *ALONE).wait(60) == 0
    assert_whole(store, "interrupted", TRIALS)


def test_a_killed_workers_trial_goes_on_and_repeats_one_epoch_at_most(continued, store):
    assert epoch_of(continued.checkpoint) >= continued.recorded
    attempts = store.attempts("killed", continued.number)
    assert [attempt.reason for attempt in attempts[:-1]] == ["killed"]
    assert_whole(store, "killed", TRIALS)


def test_an_export_of_a_killed_workers_trial_retrains_to_the_last_bit(continued, place, store):
    export = ("--study", "killed", "--trial", str(continued.number), "--out", "trial.yaml")
    assert place.search_here("export", *export) == 0
    assert place.search_here("retrain", "trial.yaml", "--verify") == 0

    change_one_digit(place.folder / "trial.yaml", "val_loss")

    assert place.search_here("retrain", "trial.yaml", "--verify") == 1


def test_a_killed_supervisor_leaves_no_worker_and_the_next_run_goes_on(place, store):
    run = place.start_run("orphaned")
    wait_for_training(run, store, "orphaned")
    workers = [psutil.Process(row.pid) for row in store.workers("orphaned")]

    run.kill()

    assert psutil.wait_procs(workers, timeout=10)[1] == []
    assert place.start_run("orphaned", *ALONE).wait(60) == 0
    assert_whole(store, "orphaned", TRIALS)


def test_stop_from_elsewhere_ends_a_run_and_the_next_one_goes_on(place, store):
    run = place.start_run("stopped")
    wait_for_training(run, store, "stopped")

    assert place.search_here("stop", "--study", "stopped") == 0

    assert run.wait(30) == 75
    assert not any(trial.is_leased for trial in store.trials("stopped"))
    assert place.start_run("stopped", *ALONE).wait(60) == 0
    assert_whole(store, "stopped", TRIALS)


def test_a_raised_budget_is_filled_exactly(place, store):
    quickly = (*ALONE, "--set", "seconds_per_epoch=0.0")
    assert place.start_run("raised", *quickly, "--trials", "2").wait(60) == 0
    assert_whole(store, "raised", 2)

    assert place.start_run("raised", *quickly, "--trials", "5").wait(60) == 0

    assert_whole(store, "raised", 5)


def test_two_homes_do_not_disturb_each_other(place, make_place):
    other = make_place()
    theirs, ours = other.start_run("toy", *ALONE), place.start_run("toy")
    with open_store(place.settings) as store:
        wait_for_training(ours, store, "toy")
        ours.send_signal(signal.SIGINT)
        assert ours.wait(30) == 75
        assert len(finals(store, "toy")) < TRIALS

    assert theirs.wait(60) == 0

    with open_store(other.settings) as store:
        assert_whole(store, "toy", TRIALS)


def test_no_postgres_is_left_without_a_user(place):
    with open_store(place.settings):
        assert place.postgres() != []

    assert place.postgres() == []


def wait_for_training(run, store, name):
    """Wait until two trials of a run are under way, and give them."""
    deadline = time.monotonic() + 60
    while run.poll() is None and time.monotonic() < deadline:
        with suppress(UnknownStudy):
            running = [row for row in store.trials(name) if row.is_leased and row.last]
            if len(running) == 2:
                return running
        time.sleep(0.05)
    pytest.fail(f"no two trials of {name!r} came to train")


def finals(store, name):
    """The trials that have ended well, by finishing or by being pruned."""
    return [row for row in store.trials(name) if row.state in ("COMPLETE", "PRUNED")]


def curve(store, name, number):
    """The numbers of a trial's recorded epochs."""
    return [row.epoch for row in store.epochs(name, number)]


def assert_whole(store, name, trials):
    """Exactly so many trials, each ended, each with every epoch up to its last one once."""
    assert len(store.trials(name)) == len(finals(store, name)) == trials
    for trial in finals(store, name):
        epochs = curve(store, name, trial.number)
        assert epochs == list(range(1, len(epochs) + 1))
        assert trial.state == "PRUNED" or len(epochs) == 6


def epoch_of(checkpoint: Path) -> int:
    """The epoch that stands in a checkpoint's name."""
    return int(checkpoint.name.split("-")[1])


def change_one_digit(export: Path, metric: str) -> None:
    """Change the last decimal of a metric's last number."""
    head, _, tail = export.read_text().rpartition(f"{metric}: ")
    number, rest = re.fullmatch(r"([\d.]+\d)(.*)", tail, re.DOTALL).groups()
    digit = "1" if number[-1] != "1" else "2"
    export.write_text(f"{head}{metric}: {number[:-1]}{digit}{rest}")
