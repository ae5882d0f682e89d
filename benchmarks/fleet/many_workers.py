"""Many real workers on one Postgres: nothing is lost or refused, and those that wait cost little.

`python -m benchmarks.fleet.many_workers [--workers 64] [--trials 512] [--seconds 60] [--pgbouncer]
[--json]`, from the checkout. It needs about 60 MB of memory for each worker.

Each worker is a process that runs `search worker` on the toy objective. This program holds one
trial. When all others have ended, the workers wait for it, and the CPU of every process of
Postgres is measured, beside that of the same server without a worker. Then the trial ends, and
with it the workers. Behind PgBouncer, in transaction mode, no NOTIFY reaches one that waits.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import NullPool, create_engine, text

from benchmarks.pairs import report
from search.cli import main as command_line
from search.worker.beat import Beat
from storage.locks import wait_until
from storage.postgres import server
from storage.postgres.cluster import cluster_of
from storage.rows import NewWorker, Outcome, TrialEnd
from storage.store import Claim, Store

NAME, HOLDER = "many", "holder"
TARGET = 0.02  # of one core, for all workers that wait
WAVE = 8  # workers that start at once
START_SECONDS = 900.0
SETTLE_SECONDS = 20.0  # after which the growing wait between two claims is the longest
NOTES = f"to reach: exact numbers, no refusal, less than {TARGET:g} of a core while they wait"
STUDY = """
from spaces.params import Float, Int
from spaces.study import Study
study = Study(name="{name}", objective="toy_curve", metric="val_loss", direction="minimize",
    trials={trials}, fixed={{"seconds_per_epoch": 0.5}},
    space=[Float("learning_rate", 1e-4, 1.0, log=True), Int("epochs", 4, 16)])
"""
CONNECTIONS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
# A process takes seconds of a core to import the libraries; a copy of one that has takes none.
FORKS = multiprocessing.get_context("forkserver")
LIBRARIES = [
    "search.commands.run",
    "search.commands.worker",
    "search.samplers.choose",
    "scipy.stats",
]
FORKS.set_forkserver_preload(LIBRARIES)
REFUSED = ("too many", "remaining connection slots", "no more connections")


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The workers, all in one home, as copies of a process that has imported their libraries.

    url: the database as the workers reach it.
    """

    folder: Path
    url: str
    workers: int
    started: list[BaseProcess] = field(default_factory=list)

    def start(self, *words: str) -> BaseProcess:
        """Start a command; its output goes into a file of its own."""
        log = self.folder / f"log-{len(self.started)}"
        process = FORKS.Process(target=_command, args=(words, log, self.folder, self.url))
        process.start()
        self.started.append(process)
        return process

    def refusals(self, log: Path) -> int:
        """Count the lines of all logs that tell of a refused connection."""
        files = [log, *self.folder.glob("log-*")]
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
        return sum(any(words in line for words in REFUSED) for line in lines)


def _command(words: Sequence[str], log: Path, folder: Path, url: str) -> None:
    """Run a command of ours in this process, which is a copy."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with log.open("wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    os.chdir(folder)
    os.environ.update({"SEARCH_HOME": str(folder / "home"), "SEARCH_DATABASE_URL": url})
    os.environ.update({"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})
    sys.exit(command_line(words))


def main(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the workers and return the figures."""
    from tests.storage.bouncer import pgbouncer  # which needs the tests' packages

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="search-many-")))
        home.chmod(0o755)  # PgBouncer runs as the server's user
        stack.callback(server.remove, home)
        url = server.start(home)
        way = url
        if arguments.pgbouncer:
            clients = 3 * arguments.workers + 20
            way = stack.enter_context(pgbouncer(url, home, clients=clients))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="search-crowd-")))
        (folder / "study.py").write_text(STUDY.format(name=NAME, trials=arguments.trials))
        crowd = Crowd(folder=folder, url=way, workers=arguments.workers)
        stack.callback(_end, crowd.started)
        if _code(crowd.start("run", "--study", "study.py", "--workers", "0", "--no-dashboard")):
            raise SystemExit((folder / "log-0").read_text())
        with Store.open(url) as store:
            return _measured(crowd, store, home, arguments)


def _measured(
    crowd: Crowd, store: Store, home: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    cluster = cluster_of(home)
    with _held_trial(store) as held:
        alone = _cpu_share(cluster.postmaster(), arguments.seconds)
        with _watched(cluster.url) as connections:
            _start_all(crowd, store)
            _wait_for(lambda: store.counts(NAME).ended == arguments.trials - 1, "the trials")
        time.sleep(SETTLE_SECONDS)
        waiting = _cpu_share(cluster.postmaster(), arguments.seconds)
        held()
        ended_at = time.monotonic()
        codes = Counter(_code(each) for each in crowd.started[1:])
    trials, attempts = store.trials(NAME), store.attempts(NAME)
    return {
        "workers": crowd.workers,
        "pgbouncer": arguments.pgbouncer,
        "trials": len(trials),
        "is_exact": [trial.number for trial in trials] == list(range(arguments.trials)),
        "states": dict(Counter(trial.state for trial in trials)),
        "attempts": len(attempts),
        "exits": {str(code): count for code, count in codes.items()},
        "refused": crowd.refusals(cluster.log),
        "connections": max(connections),
        "core_without": alone,
        "core_waiting": waiting,
        "gone_seconds": time.monotonic() - ended_at,
    }


@contextmanager
def _held_trial(store: Store) -> Iterator[Callable[[], None]]:
    """Yield a function that ends the first trial, which is held and renewed as a worker would."""
    ours = NewWorker(name=HOLDER, host="here", pid=os.getpid(), device="cpu", threads=1)
    store.register_worker(NAME, ours)
    claim = store.claim(NAME, HOLDER, lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        trial.suggest_float("learning_rate", 1e-4, 1.0, log=True)
        trial.suggest_int("epochs", 4, 16)

    def end() -> None:
        store.record(claim, 1, {"val_loss": 9.0}, 9.0, seconds=1.0, images=1)
        store.tell(claim, TrialEnd(state="COMPLETE", value=9.0, outcome=Outcome.FINISHED))

    with Beat(lambda: _renew(store, claim), seconds=10, stall_minutes=1e6):
        yield end


def _renew(store: Store, claim: Claim) -> None:
    store.beat(claim)


def _start_all(crowd: Crowd, store: Store) -> None:
    """Start the workers in waves."""
    for begun in range(0, crowd.workers, WAVE):
        wave = min(WAVE, crowd.workers - begun)
        for _ in range(wave):
            crowd.start("worker", "--study", NAME)
        _wait_for(
            partial(_has_workers, store, 1 + begun + wave), "a wave of workers"
        )  # 1 holds a trial


def _has_workers(store: Store, count: int) -> bool:
    return len(store.workers(NAME)) == count


@contextmanager
def _watched(url: str) -> Iterator[list[int]]:
    """Yield the numbers of the server's connections, counted once a second in the block."""
    engine, seen, ended = create_engine(url, poolclass=NullPool), [0], threading.Event()

    def count() -> None:
        while not ended.wait(1):
            with engine.connect() as connection:
                seen.append(connection.scalar(CONNECTIONS) or 0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _cpu_share(postmaster: psutil.Process | None, seconds: float) -> float:
    """Measure the CPU of Postgres's processes, as a share of one core."""
    assert postmaster
    before, started = _cpu_seconds(postmaster), time.monotonic()
    time.sleep(seconds)
    return (_cpu_seconds(postmaster) - before) / (time.monotonic() - started)


def _cpu_seconds(postmaster: psutil.Process) -> float:
    """Add up the CPU of the server's processes, of those that have ended as well."""
    times = postmaster.cpu_times()
    total = times.children_user + times.children_system
    for process in (postmaster, *postmaster.children()):
        with suppress(OSError):  # it has ended meanwhile
            ran = Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]
            total += int(ran) / 1e9  # in billionths of a second; psutil's are hundredths
    return float(total)


def _wait_for(holds: Callable[[], bool], what: str) -> None:
    if not wait_until(holds, START_SECONDS):
        raise SystemExit(f"{what} did not come in {START_SECONDS:.0f} s")


def _code(process: BaseProcess) -> int | None:
    process.join(START_SECONDS)
    return process.exitcode


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.kill()
        process.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--trials", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pgbouncer", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # everything started here ends, too
    report("many_workers", [main(options)], "cpu", notes=NOTES, as_json=options.json)
