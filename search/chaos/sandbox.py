"""A box of its own for `search chaos`: a home, a Postgres, a run, and what is done to them."""

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

from search.chaos import plant
from search.database import open_store
from search.errors import DRAINED
from search.processes.spawn import kill, spawn
from search.settings import Settings
from storage.errors import DatabaseUnreachable, UnknownStudy
from storage.locks import wait_until
from storage.postgres import server
from storage.rows import WorkerRow
from storage.store import Store

STUDY = Path(__file__).with_name("study.py")
NAME = "chaos"
WORKERS = 2
LEASE_SECONDS, BEAT_SECONDS = 2.0, 0.5
PATIENCE_SECONDS = 60.0

Answer = TypeVar("Answer")


class NoProgress(Exception):
    """Something that the promises make sure of did not happen in time."""


@dataclass
class Box:
    """A temporary home in which a study runs; it goes with the box unless it `is_kept`."""

    settings: Settings
    store: Store
    environment: Mapping[str, str]
    without: str | None = None
    run: subprocess.Popen[bytes] | None = None
    is_kept: bool = False

    @property
    def home(self) -> Path:
        """The folder of everything, the log of the run in run.log."""
        return self.settings.home

    @property
    def order(self) -> Path:
        """The file in which the workers find orders."""
        return self.home / "order"

    def start_run(self, *words: str) -> None:
        """Start `search run`, or go on with it."""
        options = ("--workers", str(WORKERS), "--no-dashboard", *words)
        program = plant.program(self.order, self.without)
        command = [*program, "run", "--study", str(STUDY), *options]
        self.run = spawn(command, self.home / "run.log", self.environment)

    def end_of_run(self) -> int:
        """Wait for the run's end and give its exit code; NoProgress when it does not end."""
        assert self.run
        try:
            return self.run.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoProgress(f"`search run` did not end in {PATIENCE_SECONDS:.0f} s") from None

    def drain(self) -> None:
        """Press Ctrl-C once and wait for the run's end; NoProgress unless it ends with 75."""
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
        psutil.wait_procs(children, timeout=PATIENCE_SECONDS)

    def crash_database(self) -> None:
        """Do what `pg_ctl stop -m immediate` does."""
        if pid := server.status(self.home).pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(signal.SIGQUIT)

    def kill_database(self) -> None:
        """SIGKILL the server itself; what it had started ends when it notices."""
        if pid := server.status(self.home).pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()

    def training(self) -> list[WorkerRow]:
        """Give the workers that hold a trial and have recorded an epoch of it."""
        attempts = self.store.attempts(NAME)
        at = {(row.worker, row.number) for row in attempts if row.epochs}
        rows = self.store.workers(NAME)
        return [row for row in rows if (row.worker, row.trial) in at and psutil.pid_exists(row.pid)]

    def workers_heard_since(self, moment: datetime | None) -> set[str]:
        """Name the workers that recorded an epoch after a moment of the database."""
        # Epochs first: an attempt that is new by then has none among them.
        epochs = self.store.epochs(NAME)
        workers = {(row.number, row.attempt): row.worker for row in self.store.attempts(NAME)}
        return {
            workers[row.number, row.attempt]
            for row in epochs
            if moment is None or row.recorded_at > moment
        }

    def last_epoch_at(self) -> datetime | None:
        """Give the moment of the newest recorded epoch, by the database's clock."""
        return max((row.recorded_at for row in self.store.epochs(NAME)), default=None)

    def leave(self) -> None:
        """End everything that was started here."""
        if self.run and self.run.poll() is None:
            kill(self.run)
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self) -> list[psutil.Process]:
        """Give the runs and workers of this home; its Postgres goes when nobody uses it."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("SEARCH_HOME") == str(self.home):
                    found.append(process)
        return found


@contextmanager
def box(without: str | None) -> Iterator[Box]:
    """Yield a box of its own; nothing that was started in it runs on afterwards."""
    home = Path(tempfile.mkdtemp(prefix="search-chaos-"))
    settings = Settings(home=home, lease_seconds=LEASE_SECONDS, beat_seconds=BEAT_SECONDS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEARCH_")}
    environment = {
        **kept,
        "CUDA_VISIBLE_DEVICES": "",
        "SEARCH_HOME": str(home),
        "SEARCH_LEASE_SECONDS": str(LEASE_SECONDS),
        "SEARCH_BEAT_SECONDS": str(BEAT_SECONDS),
    }
    made: Box | None = None
    try:
        with open_store(settings) as store:
            made = Box(settings, store, environment, without)
            try:
                yield made
            finally:
                made.leave()
    finally:
        if made and made.is_kept:
            server.stop(home)
        else:
            server.remove(home)
            shutil.rmtree(home, ignore_errors=True)


def wait_for(what: str, ask: Callable[[], Answer]) -> Answer:
    """Ask until there is an answer, and give it; NoProgress after a minute."""
    answers: list[Answer] = []

    def is_answered() -> bool:
        with suppress(DatabaseUnreachable, UnknownStudy):
            if answer := ask():
                answers.append(answer)
        return bool(answers)

    if not wait_until(is_answered, PATIENCE_SECONDS):
        raise NoProgress(f"{what} did not come in {PATIENCE_SECONDS:.0f} s")
    return answers[0]
