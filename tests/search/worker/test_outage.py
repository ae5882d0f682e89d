"""A trial whose worker loses the database while everybody else has it: a network that is cut."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from objectives.own.journal import read_journal
from search.worker import outbox
from search.worker.attempt import attempt_trial
from search.worker.endings import Finished, Lost, Pruned
from search.worker.settle import settle
from spaces.stored import StoredStudy
from spaces.study import Pruning
from storage.errors import DatabaseUnreachable
from storage.store import Store
from tests.search.toy_worker import attempt, lease, make_worker
from tests.search.worker import own_worker
from tests.storage.network import Network

pytestmark = pytest.mark.slow

OWN_WORKER = Path(__file__).with_name("own_worker.py")


@pytest.fixture
def network(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(database_url, tmp_path_factory.mktemp("net"))
    yield network
    network.cut()


@pytest.fixture
def remote(database_url: str, network: Network) -> Iterator[Store]:
    """A store at the other end of the network."""
    with Store.open(network.url) as store:
        yield store


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], Any]], "Future[Any]"]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


@pytest.fixture
def start_python() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start a Python process that ends with the test at the latest."""
    processes = []

    def start(*arguments: object) -> "subprocess.Popen[bytes]":
        processes.append(subprocess.Popen([sys.executable, "-P", *map(str, arguments)]))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def slow_worker(store: Store, home: Path, **changes: object):
    fixed = {"epochs": 8, "seconds_per_epoch": 0.3}
    return make_worker(store, home, fixed=fixed, pruning=Pruning("none"), **changes)


def wait_for(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def saved_epochs(worker, number: int = 0) -> int:
    folder = worker.settings.trial_folder(worker.study.name, number)
    return max((int(path.name.split("-")[1]) for path in folder.glob("*/*.ckpt")), default=0)


def test_training_goes_on_without_the_database_and_no_epoch_is_missing(
    store, remote, network, tmp_path, in_thread, monkeypatch
) -> None:
    monkeypatch.setattr(outbox, "SHORTEST_OUTAGE_SECONDS", 0.3)
    worker = slow_worker(remote, tmp_path)
    running = in_thread(lambda: attempt(worker))
    wait_for(lambda: store.epochs("toy", 0))

    network.cut()
    recorded = len(store.epochs("toy", 0))
    wait_for(lambda: saved_epochs(worker) >= recorded + 3)
    assert len(store.epochs("toy", 0)) == recorded
    network.mend()

    assert isinstance(running.result(60), Finished)
    assert [row.epoch for row in store.epochs("toy", 0)] == list(range(1, 9))
    assert [row.reason for row in store.attempts("toy")] == ["finished"]
    (outage,) = store.outages("toy")
    epochs = {row.epoch: row.recorded_at for row in store.epochs("toy", 0)}
    waited = [epoch for epoch in epochs if epochs[epoch] > outage.began_at]
    assert outage.worker == "w"
    assert 3 <= outage.epochs < len(waited) + 1
    # The cut may have taken the answer to an epoch that was written: it began with that call.
    assert epochs[recorded] - outage.began_at < timedelta(seconds=0.3)
    assert outage.began_at < epochs[recorded + 1] < outage.ended_at


def test_a_short_outage_is_not_noted(store, remote, network, tmp_path, in_thread) -> None:
    worker = slow_worker(remote, tmp_path)
    running = in_thread(lambda: attempt(worker))
    wait_for(lambda: store.epochs("toy", 0))
    network.cut()
    recorded = len(store.epochs("toy", 0))
    wait_for(lambda: saved_epochs(worker) >= recorded + 1)
    network.mend()
    assert isinstance(running.result(60), Finished)
    assert store.outages("toy") == []


def test_an_outage_that_cannot_be_noted_is_logged(store, remote, network, tmp_path, caplog) -> None:
    worker = slow_worker(remote, tmp_path)
    network.cut()
    worker.note_outage(61.0, 2)
    assert "an outage of 61 s is not noted: the database does not answer" in caplog.text
    network.mend()
    worker.note_outage(62.0, 3)
    worker.note_outage(63.0, 4)
    assert sorted(row.epochs for row in store.outages("toy")) == [3, 4]


def test_epochs_that_waited_are_written_before_a_long_epoch_ends(
    store, remote, network, tmp_path, in_thread
) -> None:
    worker = slow_worker(remote, tmp_path)
    worker.study.fixed["seconds_per_epoch"] = 3.0
    running = in_thread(lambda: attempt(worker))
    wait_for(lambda: store.epochs("toy", 0))
    network.cut()
    wait_for(lambda: saved_epochs(worker) == 2)

    network.mend()
    wait_for(lambda: len(store.epochs("toy", 0)) == 2)

    assert saved_epochs(worker) == 2  # the third is still being trained
    worker.flag.drain()
    worker.flag.now = True
    running.result(60)


def test_nothing_is_pruned_while_the_others_curves_are_away(
    store, remote, network, tmp_path, in_thread
) -> None:
    worker = slow_worker(remote, tmp_path)
    judged = replace(worker.study, pruning=Pruning("median", startup_trials=1, first_epoch=2))
    quick = replace(judged, fixed={**judged.fixed, "seconds_per_epoch": 0.0})
    attempt(replace(worker, stored=StoredStudy(quick).pinned({"learning_rate": 0.01})))
    hopeless = replace(worker, stored=StoredStudy(judged).pinned({"learning_rate": 1e-5}))
    running = in_thread(lambda: attempt(hopeless))
    wait_for(lambda: store.epochs("toy", 1))

    network.cut()
    wait_for(lambda: saved_epochs(worker, 1) >= 5)
    network.mend()

    assert isinstance(outcome := running.result(60), Pruned)
    assert outcome.epoch >= 5  # its judgement may come after the end of the outage


def test_a_worker_without_patience_leaves_its_epochs_in_the_checkpoint(
    store, remote, network, tmp_path, in_thread
) -> None:
    impatient = slow_worker(remote, tmp_path, outage_minutes=0.01)
    running = in_thread(lambda: attempt(impatient))
    wait_for(lambda: store.epochs("toy", 0))
    network.cut()
    with pytest.raises(DatabaseUnreachable):
        running.result(60)
    assert saved_epochs(impatient) > len(store.epochs("toy", 0))

    store.end_leases("w", "killed")
    resumed = attempt(replace(impatient, store=store))

    assert isinstance(resumed, Finished)
    assert [row.epoch for row in store.epochs("toy", 0)] == list(range(1, 9))


def test_epochs_that_a_superseded_attempt_kept_back_are_dropped(
    store, remote, network, tmp_path, in_thread
) -> None:
    worker = slow_worker(remote, tmp_path)
    leased = lease(worker)
    running = in_thread(lambda: attempt_trial(leased))
    wait_for(lambda: store.epochs("toy", 0))
    network.cut()
    recorded = len(store.epochs("toy", 0))
    wait_for(lambda: saved_epochs(worker) >= recorded + 2)

    store.end_leases("w", "killed")
    network.mend()

    settled = running.result(60)
    assert settled.ending == Lost()
    settle(leased, settled)
    assert len(store.epochs("toy", 0)) == recorded


def test_a_lost_trial_ends_its_attempt_within_the_epoch(store, tmp_path, in_thread) -> None:
    worker = slow_worker(store, tmp_path)
    worker.study.fixed["seconds_per_epoch"] = 40.0  # of which a step is a tenth
    worker = replace(worker, settings=replace(worker.settings, beat_seconds=0.05))
    leased = lease(worker)
    running = in_thread(lambda: attempt_trial(leased))

    store.end_leases("w", "killed")

    assert running.result(30).ending == Lost()


def test_own_code_that_is_killed_without_the_database_leaves_a_whole_curve(
    store, database_url, network, tmp_path, start_python
) -> None:
    make_worker(store, tmp_path, pruning=Pruning("none"))  # stores the study
    first = start_python(OWN_WORKER, network.url, tmp_path, 0.3)
    wait_for(lambda: len(store.epochs("toy", 0)) >= 2)
    network.cut()
    recorded = len(store.epochs("toy", 0))
    (folder,) = (tmp_path / "studies" / "toy" / "trials" / "0").iterdir()
    wait_for(lambda: len(read_journal(folder)) >= recorded + 3)
    first.kill()
    assert first.wait(60) == -signal.SIGKILL
    trained = read_journal(folder)
    assert len(store.epochs("toy", 0)) == recorded
    store.end_leases("w", "killed")

    own_worker.main(database_url, str(tmp_path))

    rows = store.epochs("toy", 0)
    assert [row.epoch for row in rows] == list(range(1, 10))
    assert {row.epoch: row.metrics for row in rows[: len(trained)]} == {
        epoch: result.metrics for epoch, result in trained.items()
    }
    assert [row.attempt for row in rows] == [1] * recorded + [2] * (9 - recorded)
    (trial,) = store.trials("toy")
    assert (trial.outcome, trial.value) == ("finished", min(row.value for row in rows))
