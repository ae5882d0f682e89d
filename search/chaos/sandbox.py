"""The sandbox of `search chaos`: a home, a Postgres and a run, and functions to damage them."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import psutil

from objectives.script.environment import without_secrets
from search.chaos import plant
from search.database import open_store
from search.processes.spawn import kill, spawn
from search.settings import Settings
from spaces.exits import DRAINED
from storage.errors import DatabaseUnreachable, UnknownStudy
from storage.locks import wait_until
from storage.postgres import server
from storage.rows import WorkerRow
from storage.store import Store

STUDY = Path(__file__).with_name("study.py")
SCRIPT_STUDY = Path(__file__).with_name("script_study.py")
SCRIPT = "curve.py"
NAME = "chaos"
WORKERS = 2
LEASE_SECONDS, BEAT_SECONDS = 2.0, 0.5
TIMEOUT_SECONDS = 60.0

Answer = TypeVar("Answer")


class NoProgress(Exception):
    """A step that the promises guarantee did not happen in time."""


@dataclass(kw_only=True)
class Sandbox:
    """A temporary home in which a study runs; it is removed at the end unless it `is_kept`.

    environment: of every process that is started here.
    study: the file of the study: STUDY or SCRIPT_STUDY.
    without: the guard that the workers do without (storage/faults.py), or None.
    run: the newest `search run`.
    """

    settings: Settings
    store: Store
    environment: Mapping[str, str]
    study: Path = STUDY
    without: str | None = None
    run: subprocess.Popen[bytes] | None = None
    is_kept: bool = False

    @property
    def home(self) -> Path:
        """The folder of all files; run.log in it is the log of the run."""
        return self.settings.home

    @property
    def orders(self) -> Path:
        """The file in which the workers look for orders (storage/faults.py)."""
        return self.home / "orders"

    def start_run(self, *words: str) -> None:
        """Start or continue `search run`."""
        options = ("--workers", str(WORKERS), "--no-dashboard", *words)
        program = plant.program(self.orders, self.without)
        command = [*program, "run", "--study", str(self.study), *options]
        self.run = spawn(command, self.home / "run.log", self.environment)

    def end_of_run(self) -> int:
        """Wait for the end of the run and return its exit code; NoProgress if it does not end."""
        assert self.run
        try:
            return self.run.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoProgress(f"`search run` did not end in {TIMEOUT_SECONDS:.0f} s") from None

    def drain(self) -> None:
        """Press Ctrl-C once and wait for the end of the run; NoProgress unless it exits with 75."""
        assert self.run
        self.run.send_signal(signal.SIGINT)
        if (code := self.end_of_run()) != DRAINED:
            raise NoProgress(f"Ctrl-C ended the run with {code}, not {DRAINED}")

    def kill_supervisor(self) -> None:
        """SIGKILL `search run`; its workers die with it."""
        assert self.run
        children = psutil.Process(self.run.pid).children(recursive=True)
        self.run.kill()
        self.run.wait()
        psutil.wait_procs(children, timeout=TIMEOUT_SECONDS)

    def crash_database(self) -> None:
        """Stop Postgres at once, like `pg_ctl stop -m immediate`."""
        if pid := server.status(self.home).pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(signal.SIGQUIT)

    def kill_database(self) -> None:
        """SIGKILL the server itself; the processes that it started end when they notice."""
        if pid := server.status(self.home).pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()

    def training_workers(self) -> list[WorkerRow]:
        """List the live workers that hold a trial and have recorded an epoch of it."""
        attempts = self.store.attempts(NAME)
        at = {(row.worker, row.number) for row in attempts if row.epochs}
        rows = self.store.workers(NAME)
        return [row for row in rows if (row.worker, row.trial) in at and psutil.pid_exists(row.pid)]

    def recording_workers(self, since: datetime | None) -> set[str]:
        """Name the workers that recorded an epoch after a moment of the database's clock."""
        # Epochs before attempts: an attempt that begins between the two reads has none among them.
        epochs = self.store.epochs(NAME)
        workers = {(row.number, row.attempt): row.worker for row in self.store.attempts(NAME)}
        return {
            workers[row.number, row.attempt]
            for row in epochs
            if since is None or row.recorded_at > since
        }

    def last_epoch_at(self) -> datetime | None:
        """Read the moment of the newest recorded epoch, by the database's clock."""
        return max((row.recorded_at for row in self.store.epochs(NAME)), default=None)

    def end_processes(self) -> None:
        """SIGKILL every process that was started here."""
        if self.run and self.run.poll() is None:
            kill(self.run)
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self) -> list[psutil.Process]:
        """List the runs and workers of this home; its Postgres ends by itself without users."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                variables = process.environ()
                # Of the variables of search a script has but its own.
                place = variables.get("SEARCH_HOME") or variables.get("SEARCH_TRIAL_FILE", "")
                if place == str(self.home) or place.startswith(f"{self.home}/"):
                    found.append(process)
        return found

    def scripts(self) -> list[psutil.Process]:
        """List the scripts that train here."""
        return [each for each in self.processes() if each.cmdline()[-1:] == [SCRIPT]]


@contextmanager
def sandbox(without: str | None, study: Path = STUDY) -> Iterator[Sandbox]:
    """Yield a new sandbox; no process of it is left at the end.

    study: STUDY or SCRIPT_STUDY.
    without: the guard that its workers do without, or None.
    """
    home = Path(tempfile.mkdtemp(prefix="search-chaos-"))
    settings = Settings(home=home, lease_seconds=LEASE_SECONDS, beat_seconds=BEAT_SECONDS)
    made: Sandbox | None = None
    try:
        with open_store(settings) as store:
            made = Sandbox(
                settings=settings,
                store=store,
                environment=_environment(home),
                study=study,
                without=without,
            )
            try:
                yield made
            finally:
                made.end_processes()
    finally:
        if made and made.is_kept:
            server.stop(home)
        else:
            server.remove(home)
            shutil.rmtree(home, ignore_errors=True)


def wait_for(expected: str, ask: Callable[[], Answer]) -> Answer:
    """Call `ask` until its answer is true, and return it; NoProgress after a minute.

    expected: names the answer in the error.
    """
    answers: list[Answer] = []

    def is_answered() -> bool:
        with suppress(DatabaseUnreachable, UnknownStudy):
            if answer := ask():
                answers.append(answer)
        return bool(answers)

    if not wait_until(is_answered, TIMEOUT_SECONDS):
        raise NoProgress(f"{expected} did not come in {TIMEOUT_SECONDS:.0f} s")
    return answers[0]


def _environment(home: Path) -> dict[str, str]:
    environment = without_secrets(os.environ)
    kept = {name: text for name, text in environment.items() if not name.startswith("SEARCH_")}
    return {
        **kept,
        "CUDA_VISIBLE_DEVICES": "",
        "SEARCH_HOME": str(home),
        "SEARCH_LEASE_SECONDS": str(LEASE_SECONDS),
        "SEARCH_BEAT_SECONDS": str(BEAT_SECONDS),
    }
