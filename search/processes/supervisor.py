"""Keep a study's workers running until nothing is left to do or a stop is requested."""

import logging
import shutil
import time
from collections.abc import Callable

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from objectives.sets.progress import decoding_note
from search.processes.crew import Crew
from search.processes.run import Ending, Run
from search.processes.signals import StopFlag
from spaces.exits import DONE, DRAINED, FAILED, KILLED
from storage.errors import DatabaseUnreachable, StorageError
from storage.rows import Stop

log = logging.getLogger(__name__)

TICK_SECONDS = 0.1
FULL_DISK_BYTES = 20e6
READ_SECONDS = 1.0


def supervise(run: Run, flag: StopFlag, show: Callable[[Snapshot], None]) -> Ending:
    """Keep workers and dashboard running to the end; no worker outlives the call.

    show: called about once a second with a snapshot of the study.
    """
    return _Supervisor(run, flag, show).supervise()


class _Supervisor:
    def __init__(self, run: Run, flag: StopFlag, show: Callable[[Snapshot], None]) -> None:
        self._run, self._flag, self._show = run, flag, show
        self._crew = Crew(run, flag, self._obey)
        self._snapshot = read_snapshot(run.store, run.study)
        self._read_at = 0.0
        self._has_begun = False  # a worker is registered
        self._is_database_away = False
        self._away = ""
        self._is_drain_told = False

    def supervise(self) -> Ending:
        self._crew.free_the_dead(self._snapshot.look.workers)
        try:
            while not self._flag.now and not self._crew.is_over:
                self._read()
                self._pass_the_drain_on()
                self._run.dashboard.keep()
                self._crew.look_after(is_database_away=self._is_database_away)
                time.sleep(TICK_SECONDS)
        except Exception:
            self._run.watch.broke(self._snapshot)
            raise
        finally:
            self._crew.leave_nobody_behind()
        self._read_at = 0.0
        self._read()
        ending = self._ending()
        self._run.watch.ended(self._snapshot, ending.exit_code)
        return ending

    def _read(self) -> None:
        """Read the study about once a second, and show it."""
        started = time.monotonic()
        if started < self._read_at:
            return
        try:
            self._snapshot = read_snapshot(self._run.store, self._run.study, self._snapshot)
            self._is_database_away = False
            self._has_begun = self._has_begun or bool(self._snapshot.look.workers)
            self._obey(self._snapshot.look.study.stop)
            self._end_the_stalled()
            self._run.watch.look(self._snapshot)
        except DatabaseUnreachable as error:
            if not self._is_database_away:
                log.warning("%s; the workers go on without it", error)
            self._is_database_away = True
            self._crew.forgive_silence()
            self._run.watch.database_is_away(self._snapshot)
            self._revive_database()
        self._show(self._snapshot.noting(self._note()))
        # Reading a long study may take at most a tenth of the supervisor's time.
        self._read_at = time.monotonic() + max(READ_SECONDS, 9 * (time.monotonic() - started))

    def _end_the_stalled(self) -> None:
        rows = {row.worker: row for row in self._snapshot.look.workers}
        for worker in self._crew.end_the_stalled(rows):
            self._run.watch.killed(self._snapshot, worker)

    def _note(self) -> str:
        if self._is_database_away:
            return self._away
        if shutil.disk_usage(self._run.logs).free < FULL_DISK_BYTES:
            return f"the disk of {self._run.logs} is full: free some, the workers wait for room"
        if self._flag.draining and self._crew.is_running:
            return "finishing the epochs in flight; Ctrl-C again stops at once and repeats them"
        if not self._has_begun:
            return "the workers are starting"
        return decoding_note(self._run.cache)

    def _revive_database(self) -> None:
        """Start the embedded database again; note the command for it where the user stopped it."""
        self._away = "the database is away; the workers go on without it"
        try:
            if not self._run.revive_database():
                self._away += ", `search database start` brings it back"
        except StorageError as error:
            self._away += f": {error}"

    def _obey(self, stop: Stop | None) -> None:
        """Act on the request that `search stop` left in the database."""
        if stop:
            self._flag.drain()
        if stop == "now":
            self._crew.kill()

    def _pass_the_drain_on(self) -> None:
        if self._flag.draining and not self._is_drain_told:
            self._is_drain_told = True
            self._read_at = 0.0  # Ctrl-C shows its effect at once
            self._crew.drain()

    def _ending(self) -> Ending:
        if self._flag.now:
            return Ending(KILLED)
        if self._crew.is_done and self._snapshot.best:
            return Ending(DONE)
        return self._crew.trouble or Ending(FAILED if self._crew.is_done else DRAINED)
