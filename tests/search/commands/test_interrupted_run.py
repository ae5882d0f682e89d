"""`search run` as a person meets it: in a terminal, interrupted, killed, started twice."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from search.processes.devices import assign
from search.processes.gpus import Gpu
from search.processes.lock import gpus_held
from storage.errors import UnknownStudy
from storage.store import Store
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid

STUDY = """
from spaces.params import Float
from spaces.study import Study

study = Study(
    name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
    fixed={"epochs": 20, "seconds_per_epoch": 0.5},
)
"""
ENDLESS = ("--set", "epochs=1000")  # for runs that are stopped, however late the second worker is


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as opened:
        yield opened


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `search run` on a study of two trials, with a lease that no test waits for."""
    (tmp_path / "toy.py").write_text(STUDY)
    place = {"SEARCH_HOME": str(tmp_path / "home"), "SEARCH_DATABASE_URL": database_url}
    place["SEARCH_LEASE_SECONDS"] = "600"
    words = ("run", "--study", "toy.py", "--workers", "2", "--no-dashboard")
    started: list[subprocess.Popen[bytes]] = []

    def run(*more: str, **streams: int) -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "search.cli", *words, *more],
                cwd=tmp_path,
                env={**os.environ, **place},
                start_new_session=True,
                **streams,
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker_and_the_next_one_goes_on_at_once(start, store):
    killed = start()
    workers = wait_for_two_running(store)
    killed.kill()
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert start("--workers", "1").wait(150) == 0  # four times sooner than by the lease
    assert [trial.state for trial in store.trials("toy")].count("WAITING") == 0
    assert len(store.trials("toy")) == 2
    first, second = store.attempts("toy", 0)
    assert first.reason == "orphaned"
    assert second.reason in ("finished", "pruned")


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_hands_every_trial_back(start, store):
    ours, theirs = pty.openpty()
    run = start(*ENDLESS, stdin=theirs, stdout=theirs, stderr=theirs)
    wait_for_two_running(store)
    run.send_signal(signal.SIGINT)
    assert run.wait(120) == 75
    assert {attempt.reason for attempt in store.attempts("toy")} == {"drained"}
    assert b"finishing the epochs in flight" in os.read(ours, 1_000_000)


@pytest.mark.slow
def test_a_terminal_that_closes_drains_the_run(start, store):
    ours, theirs = pty.openpty()
    run = start(*ENDLESS, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    wait_for_two_running(store)
    os.close(ours)
    run.send_signal(signal.SIGHUP)
    assert run.wait(120) == 75
    assert {attempt.reason for attempt in store.attempts("toy")} == {"drained"}


@pytest.mark.slow
def test_a_second_run_of_a_study_is_refused_with_the_way_to_join(start, store):
    first = start(*ENDLESS)
    wait_for_two_running(store)
    second = start(*ENDLESS, stderr=subprocess.PIPE)
    said = second.communicate(timeout=120)[1].decode()
    assert second.returncode == 2
    assert f"process {first.pid} of " in said
    assert "add a worker to it with `search worker --study toy`" in said
    assert said.count("\n") == 1


def wait_for_two_running(store: Store) -> list[psutil.Process]:
    """Wait until two workers train, and give their processes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            working = [row for row in store.workers("toy") if row.trial is not None]
        except UnknownStudy:
            working = []
        if len(working) == 2:
            return [psutil.Process(row.pid) for row in working]
        time.sleep(0.1)
    raise TimeoutError("no two workers took a trial")


def test_a_run_without_workers_stores_the_study_and_ends(
    start: Callable[..., subprocess.Popen[bytes]], store: Store
) -> None:
    stored = start("--workers", "0", stdout=subprocess.PIPE)

    told, _ = stored.communicate(timeout=60)

    assert stored.returncode == 0
    assert told.decode() == "toy is stored; its workers start with `search worker --study toy`\n"
    assert store.study("toy").trials == 2
    assert store.workers("toy") == []


def test_a_run_whose_gpu_is_held_takes_no_stop_back(
    start: Callable[..., subprocess.Popen[bytes]],
    store: Store,
    made_up_gpus: MadeUpGpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made_up_gpus.put(MadeUp(uuid(1)))
    for name, value in made_up_gpus.environment("0").items():
        monkeypatch.setenv(name, value)
    assert start("--workers", "0").wait(60) == 0
    store.request_stop("toy", "drain")
    mine = Gpu(visible=f"GPU-{uuid(1)}", label="0")
    with gpus_held("toy", tmp_path / "home" / "studies" / "toy", assign(1, [mine], 2)):
        refused = start(stderr=subprocess.PIPE)
        told = refused.communicate(timeout=60)[1].decode()

    assert (refused.returncode, "on GPU 0 already" in told) == (2, True), told
    assert store.study("toy").stop
