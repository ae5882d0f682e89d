"""The promises of `search run`, through real interrupts and kills on a Postgres of its own."""

import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from objectives.files import checkpoints
from search.database import open_store
from storage.errors import UnknownStudy

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS = 10  # three runs that are cut short leave some over, on a busy machine too
ALONE = ("--workers", "1")  # a second worker would only start


@pytest.fixture
def store(place):
    with open_store(place.settings) as opened:
        yield opened


def test_whatever_ends_a_run_the_next_goes_on_to_exactly_the_budget(place, make_place, store):
    other = make_place()
    theirs = other.start_run("ended", *ALONE)  # of the same name, in a home of its own
    drain_by_ctrl_c(place, store)
    stop_from_elsewhere(place, store)
    kill_the_supervisor(place, store)
    for trials in (TRIALS, TRIALS + 1):  # a raised budget is filled, too
        assert start(place, *ALONE, trials=trials).wait(60) == 0
        assert_whole(store, "ended", trials)

    assert theirs.wait(60) == 0
    with open_store(other.settings) as store:
        assert_whole(store, "ended", 4)


def start(place, *words, trials=TRIALS):
    return place.start_run("ended", "--trials", str(trials), *words)


def drain_by_ctrl_c(place, store):
    run = start(place)
    wait_for_training(run, store, "ended", 2)

    run.send_signal(signal.SIGINT)

    assert run.wait(30) == 75
    assert "drained" in {attempt.reason for attempt in store.attempts("ended")}
    assert len(finals(store, "ended")) < TRIALS


def stop_from_elsewhere(place, store):
    run = start(place)
    wait_for_training(run, store, "ended", 2)

    assert place.search_here("stop", "--study", "ended") == 0

    assert run.wait(30) == 75
    assert not any(trial.is_leased for trial in store.trials("ended"))
    assert len(finals(store, "ended")) < TRIALS


def kill_the_supervisor(place, store):
    run = start(place)
    wait_for_training(run, store, "ended", 2)
    workers = [psutil.Process(row.pid) for row in store.workers("ended") if not row.ended_at]
    assert len(workers) == 2

    run.kill()

    assert psutil.wait_procs(workers, timeout=10)[1] == []
    assert len(finals(store, "ended")) < TRIALS


def test_a_killed_workers_trial_goes_on_and_retrains_to_the_last_bit(place, store):
    run = place.start_run("killed", *ALONE, "--trials", "2")
    (victim,) = wait_for_training(run, store, "killed", 1)
    (worker,) = store.workers("killed")
    psutil.Process(worker.pid).kill()
    recorded = len(store.epochs("killed", victim.number))
    folder = place.settings.attempt_folder("killed", victim.number, 1, worker.worker)
    saved = checkpoints.newest_good([folder])
    assert run.wait(60) == 0

    assert epoch_of(saved) >= recorded  # one epoch at most is repeated
    attempts = store.attempts("killed", victim.number)
    assert [attempt.reason for attempt in attempts[:-1]] == ["killed"]
    assert_whole(store, "killed", 2)
    assert_retrains_to_the_last_bit(place, "killed", victim.number)


def assert_retrains_to_the_last_bit(place, name, number):
    export = ("--study", name, "--trial", str(number), "--out", "trial.yaml")
    assert place.search_here("export", *export) == 0
    assert place.search_here("retrain", "trial.yaml", "--verify") == 0

    change_one_digit(place.folder / "trial.yaml", "val_loss")

    assert place.search_here("retrain", "trial.yaml", "--verify") == 1


def test_no_postgres_is_left_without_a_user(place):
    with open_store(place.settings):
        assert place.postgres() != []

    assert place.postgres() == []


def wait_for_training(run, store, name, count):
    """Wait until so many attempts at trials have recorded an epoch, and give them."""
    deadline = time.monotonic() + 60
    while run.poll() is None and time.monotonic() < deadline:
        with suppress(UnknownStudy):
            running = [row for row in store.attempts(name) if row.epochs and not row.ended_at]
            if len(running) == count:
                return running
        time.sleep(0.05)
    pytest.fail(f"{count} trials of {name!r} did not come to train")


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
