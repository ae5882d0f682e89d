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
    fixed={"epochs": 1000, "seconds_per_epoch": 0.5},
)
"""


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
def test_a_killed_run_leaves_no_worker_and_the_next_one_goes_on_at_once_until_ctrl_c(start, store):
    killed = start()
    workers = wait_for_running(store, 2)
    killed.kill()
    assert psutil.wait_procs(workers, timeout=60)[1] == []

    ours, theirs = pty.openpty()
    run = start(stdin=theirs, stdout=theirs, stderr=theirs)
    wait_for_running(store, 2)  # ten times sooner than by the lease
    first, second = store.attempts("toy", 0)
    assert (first.reason, second.ended_at) == ("orphaned", None)
    assert len(store.trials("toy")) == 2

    run.send_signal(signal.SIGINT)
    assert run.wait(120) == 75
    reasons = [attempt.reason for attempt in store.attempts("toy")]
    assert sorted(reasons) == ["drained"] * 2 + ["orphaned"] * 2
    assert b"finishing the epochs in flight" in os.read(ours, 1_000_000)


@pytest.mark.slow
def test_a_run_refuses_a_second_one_with_the_way_to_join_and_drains_when_its_terminal_closes(
    start, store
):
    ours, theirs = pty.openpty()
    first = start("--workers", "1", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    wait_for_running(store, 1)

    second = start(stderr=subprocess.PIPE)
    said = second.communicate(timeout=120)[1].decode()
    assert second.returncode == 2
    assert f"process {first.pid} of " in said
    assert "add a worker to it with `search worker --study toy`" in said
    assert said.count("\n") == 1

    os.close(ours)
    first.send_signal(signal.SIGHUP)
    assert first.wait(120) == 75
    assert {attempt.reason for attempt in store.attempts("toy")} == {"drained"}


def wait_for_running(store: Store, count: int) -> list[psutil.Process]:
    """Wait until so many workers train, and give their processes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            working = [
                row
                for row in store.workers("toy")
                if row.trial is not None and psutil.pid_exists(row.pid)
            ]
        except UnknownStudy:
            working = []
        if len(working) == count:
            return [psutil.Process(row.pid) for row in working]
        time.sleep(0.1)
    raise TimeoutError(f"no {count} workers took a trial")


def test_a_run_without_workers_stores_the_study_and_one_whose_gpu_is_held_takes_no_stop_back(
    start: Callable[..., subprocess.Popen[bytes]],
    store: Store,
    made_up_gpus: MadeUpGpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made_up_gpus.put(MadeUp(uuid(1)))
    for name, value in made_up_gpus.environment("0").items():
        monkeypatch.setenv(name, value)

    stored = start("--workers", "0", stdout=subprocess.PIPE)
    told, _ = stored.communicate(timeout=60)

    assert stored.returncode == 0
    assert told.decode() == "toy is stored; its workers start with `search worker --study toy`\n"
    assert store.study("toy").trials == 2
    assert store.workers("toy") == []

    store.request_stop("toy", "drain")
    mine = Gpu(visible=f"GPU-{uuid(1)}", label="0")
    with gpus_held("toy", tmp_path / "home" / "studies" / "toy", assign(1, [mine], 2)):
        refused = start(stderr=subprocess.PIPE)
        reason = refused.communicate(timeout=60)[1].decode()

    assert (refused.returncode, "on GPU 0 already" in reason) == (2, True), reason
    assert store.study("toy").stop
