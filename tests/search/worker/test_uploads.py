"""The weights of the best trials are uploaded, whichever process dies meanwhile."""

import errno
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import pytest

from search.worker.endings import Finished
from search.worker.loop import work
from search.worker.uploads import WeightUploads
from search.worker.worker import Worker
from spaces.study import Pruning
from storage import artifacts
from storage.store import Store
from tests.search.toy_worker import end, lease, make_worker

# Sends what is noted, and is stopped for good in the middle of the first file.
SENDER = """
import sys, time
from pathlib import Path
from objectives.contract import DataSource
from search.processes.signals import StopFlag
from search.settings import Settings
from search.worker.uploads import WeightUploads
from search.worker.worker import Worker
from spaces.stored import from_json
from storage.places import folder
from storage.store import Store

url, home, shared = sys.argv[1:]

def write_half(content, file):
    file.write(content.read(8))
    file.flush()
    print("half", flush=True)
    time.sleep(600)

folder.shutil.copyfileobj = write_half
settings = Settings(home=Path(home), shared_artifacts=shared)
with Store.open(url) as store:
    worker = Worker(
        name="w",
        stored=from_json(store.study("toy").definition),
        store=store,
        settings=settings,
        data=DataSource(layout={"kind": "none"}),
        device="cpu",
        threads=1,
        flag=StopFlag(),
    )
    with WeightUploads(worker):
        pass
"""


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Worker:
    """A worker on a study that keeps one trial's weights, in a home that shares with others."""
    worker = make_worker(
        store, tmp_path, trials=2, keep=1, pruning=Pruning("none"), outage_minutes=0.02
    )
    return replace(
        worker, settings=replace(worker.settings, shared_artifacts=str(tmp_path / "shared"))
    )


@dataclass
class Gate:
    """Nothing gets into the shared place before it is opened; `knocked`: somebody waits there."""

    opened: Event = field(default_factory=Event)
    knocked: Event = field(default_factory=Event)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate, write = Gate(), artifacts.ArtifactStore.write

    def write_later(*given: Any) -> None:
        gate.knocked.set()
        gate.opened.wait(60)
        write(*given)

    monkeypatch.setattr(artifacts.ArtifactStore, "write", write_later)
    yield gate
    gate.opened.set()


def sending(worker: Worker) -> WeightUploads:
    return WeightUploads(worker)


def finish(worker: Worker, value: float) -> None:
    """End the next trial with this value and weights that say so."""
    leased = lease(worker)
    leased.folder.mkdir(parents=True)
    (leased.folder / "best.pt").write_text(f"weights of value {value}")
    worker.store.record(leased.claim, 1, {"val_loss": value}, value, seconds=1.0, images=10)
    end(leased, Finished(value, (1,)))


def shared(worker: Worker) -> list[str]:
    folder = Path(worker.settings.artifacts)
    return [path.read_text() for path in folder.iterdir()] if folder.is_dir() else []


def test_a_trial_ends_and_the_next_begins_before_its_weights_are_uploaded(
    worker: Worker, gate: Gate
) -> None:
    with sending(worker) as weights:
        for value in (0.5, 0.7):
            finish(worker, value)
            weights.look(set(worker.store.best("toy", 1)))
        assert [row.state for row in worker.store.trials("toy")] == ["COMPLETE"] * 2
        assert shared(worker) == []
        gate.opened.set()

    assert shared(worker) == ["weights of value 0.5"]
    assert [file.number for file in worker.store.files("toy")] == [0]


def test_weights_of_a_dead_worker_are_sent_by_the_next_one_in_its_home(
    worker: Worker,
) -> None:
    finish(worker, 0.5)
    finish(worker, 0.7)
    assert shared(worker) == []

    assert work(worker) == 0  # nothing is left to train

    assert shared(worker) == ["weights of value 0.5"]


def test_a_worker_that_is_killed_in_the_middle_of_a_file_loses_nothing(
    worker: Worker, database_url: str, tmp_path: Path
) -> None:
    finish(worker, 0.5)
    command = [sys.executable, "-c", SENDER, database_url, str(tmp_path), worker.settings.artifacts]
    sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with sender, sender.stdout or sys.stdin as said:
        assert said.readline() == "half\n"
        sender.send_signal(signal.SIGKILL)
    assert shared(worker) == ["weights "]

    with sending(worker):
        pass

    assert shared(worker) == ["weights of value 0.5"]


def test_a_home_without_the_weights_leaves_them_to_the_home_that_has_them(
    worker: Worker, tmp_path: Path
) -> None:
    finish(worker, 0.5)
    elsewhere = replace(worker, settings=replace(worker.settings, home=tmp_path / "elsewhere"))

    with sending(elsewhere):
        pass
    assert shared(worker) == []
    with sending(worker):
        pass
    assert shared(worker) == ["weights of value 0.5"]


def test_two_workers_of_a_home_do_not_send_the_same_file_at_once(worker: Worker) -> None:
    finish(worker, 0.5)
    path = worker.settings.attempt_folder("toy", 0, 1, worker.name) / "best.pt"

    with path.open("rb") as theirs:
        flock(theirs, LOCK_EX)
        with sending(worker):
            pass
    assert shared(worker) == []
    with sending(worker):
        pass
    assert shared(worker) == ["weights of value 0.5"]


def test_weights_of_a_home_on_nfs_are_sent(worker: Worker, monkeypatch) -> None:
    def flock_as_on_nfs(file: BinaryIO, _: int) -> None:
        if not file.writable():  # an exclusive lock is a lock to write there (man 2 flock)
            raise OSError(errno.EBADF, "Bad file descriptor")

    finish(worker, 0.5)
    monkeypatch.setattr("fcntl.flock", flock_as_on_nfs)
    with sending(worker):
        pass
    assert shared(worker) == ["weights of value 0.5"]


@pytest.mark.parametrize("what", ["surpassed", "deleted"])
def test_weights_that_are_no_longer_needed_when_they_arrive_are_removed(
    worker: Worker, gate: Gate, what: str
) -> None:
    finish(worker, 0.5)
    with sending(worker):
        assert gate.knocked.wait(30)
        if what == "surpassed":
            finish(worker, 0.3)  # collects what the other had noted
        else:
            worker.store.delete("toy")
        gate.opened.set()

    assert shared(worker) == []


def test_a_worker_stopped_at_once_leaves_weights_to_the_next(worker: Worker, gate: Gate) -> None:
    finish(worker, 0.5)
    with sending(worker):
        worker.flag.drain()
        worker.flag.now = True
    assert shared(worker) == []


def test_a_place_that_is_away_costs_the_weights_a_warning_and_no_more(
    worker: Worker, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    finish(worker, 0.5)
    (tmp_path / "shared").rmdir()
    (tmp_path / "shared").write_text("no folder")

    with sending(worker):
        pass
    assert "weights are not uploaded yet" in caplog.text

    (tmp_path / "shared").unlink()
    with sending(worker):
        pass
    assert shared(worker) == ["weights of value 0.5"]
