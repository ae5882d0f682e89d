"""Keep a study's workers running until nothing is left to do or a stop is requested."""

import logging
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from objectives.sets.progress import decoding_note
from search.notify.watch import Watch
from search.processes.child import Child, describe_exit
from search.processes.dashboard_keeper import DashboardKeeper
from search.processes.devices import DeviceShare, worker_environment
from search.processes.machine import process_scope
from search.processes.signals import StopFlag
from search.processes.worker_slot import WorkerSlot
from search.report import PROGRAM, REASON_FILE
from spaces.exits import DONE, DRAINED, FAILED, KILLED, LASTING
from storage.engine.steps import DEATHS
from storage.errors import DatabaseUnreachable, StorageError
from storage.rows import HandBackReason
from storage.store import Store

log = logging.getLogger(__name__)

FRUITLESS_ENDS = DEATHS + 1  # one trial that kills its workers is given up, and ends no run
TICK_SECONDS = 0.1
FULL_DISK_BYTES = 20e6
READ_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run of one study on this machine.

    worker_command: builds the command of a share's worker from its name, which is new at every
        start. `--reason-file FILE` is appended: the worker writes the error that ends it there.
    revive_database: called while the database is away. It starts the embedded one again, and
        returns False when that was stopped on purpose.
    """

    study: str
    shares: Sequence[DeviceShare]
    store: Store
    worker_command: Callable[[DeviceShare, str], Sequence[str]]
    environment: Mapping[str, str]  # the base of the children's environments
    logs: Path  # the folder of the children's logs
    cache: Path  # the folder of decoded images
    lease_seconds: float  # a silent worker keeps its trial so long, and lives as long again
    dashboard: DashboardKeeper
    watch: Watch = field(default_factory=Watch)  # tells the events of the study
    revive_database: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Ending:
    """The end of a run."""

    exit_code: int  # of `search run`
    trouble: str = ""  # the error that ended it, in one line


def supervise(run: Run, flag: StopFlag, show: Callable[[Snapshot], None]) -> Ending:
    """Keep workers and dashboard running to the end; no worker outlives the call.

    show: called about once a second with a snapshot of the study.
    """
    return _Supervisor(run, flag, show).supervise()


class _Supervisor:
    def __init__(self, run: Run, flag: StopFlag, show: Callable[[Snapshot], None]) -> None:
        self._run, self._flag, self._show = run, flag, show
        self._slots = [
            WorkerSlot(share=share, child=_worker_child(run, share)) for share in run.shares
        ]
        self._snapshot = read_snapshot(run.store, run.study)
        self._read_at = 0.0
        self._has_begun = False  # a worker is registered
        self._is_database_away = False
        self._away = ""
        self._is_drain_told = False
        self._is_done = False
        self._trouble: Ending | None = None

    def supervise(self) -> Ending:
        self._free_the_dead()
        try:
            while not self._flag.now and not all(slot.is_over for slot in self._slots):
                self._read()
                self._pass_the_drain_on()
                self._run.dashboard.keep()
                for slot in self._slots:
                    self._look_after(slot)
                time.sleep(TICK_SECONDS)
        except Exception:
            self._run.watch.broke(self._snapshot)
            raise
        finally:
            self._leave_nobody_behind()
        self._read_at = 0.0
        self._read()
        ending = self._ending()
        self._run.watch.ended(self._snapshot, ending.exit_code)
        return ending

    def _free_the_dead(self) -> None:
        """End the leases that a killed run left on this machine before they expire."""
        for worker in self._snapshot.look.workers:
            is_ours = (
                worker.ended_at is None and worker.machine.get("process_scope") == process_scope()
            )
            if is_ours and not psutil.pid_exists(worker.pid):
                self._free(
                    worker.worker,
                    -signal.SIGKILL,
                    "died with its supervisor",
                    HandBackReason.ORPHANED,
                )

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
            for slot in self._slots:
                slot.watch(None, 0)  # no worker can renew its lease now
            self._run.watch.database_is_away(self._snapshot)
            self._revive_database()
        self._show(self._snapshot.noting(self._note()))
        # Reading a long study may take at most a tenth of the supervisor's time.
        self._read_at = time.monotonic() + max(READ_SECONDS, 9 * (time.monotonic() - started))

    def _end_the_stalled(self) -> None:
        """Kill workers whose trials make no progress, so that others continue these trials."""
        rows = {row.worker: row for row in self._snapshot.look.workers}
        for slot in self._slots:
            if slot.watch(rows.get(slot.worker), self._run.lease_seconds):
                log.warning("worker %s no longer moves: killed", slot.worker)
                slot.is_stalled = True
                slot.child.kill()
                self._run.watch.killed(self._snapshot, slot.worker)

    def _note(self) -> str:
        if self._is_database_away:
            return self._away
        if shutil.disk_usage(self._run.logs).free < FULL_DISK_BYTES:
            return f"the disk of {self._run.logs} is full: free some, the workers wait for room"
        if self._flag.draining and any(slot.child.process for slot in self._slots):
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

    def _obey(self, stop: str | None) -> None:
        """Act on the request that `search stop` left in the database."""
        if stop:
            self._flag.drain()
        if stop == "now":
            for slot in self._slots:
                slot.child.kill()

    def _pass_the_drain_on(self) -> None:
        if self._flag.draining and not self._is_drain_told:
            self._is_drain_told = True
            self._read_at = 0.0  # Ctrl-C shows its effect at once
            for slot in self._slots:
                slot.child.terminate()

    def _look_after(self, slot: WorkerSlot) -> None:
        code = slot.child.ended()
        slot.exit_code = slot.exit_code if code is None else code
        if slot.exit_code is not None:
            self._settle(slot, slot.exit_code)
        elif slot.child.process is None and self._flag.draining:
            slot.is_over = True
        elif slot.child.may_start and not slot.is_over and not self._is_database_away:
            slot.start(f"{socket.gethostname()}-{slot.share.index}-{secrets.token_hex(3)}")
            command = self._run.worker_command(slot.share, slot.worker)
            slot.child.start([*command, REASON_FILE, str(slot.child.reason_file)])

    def _settle(self, slot: WorkerSlot, code: int) -> None:
        """Free the trial of an ended worker and decide on the next one; wait for the database."""
        try:
            held = self._run.store.end_leases(slot.worker, self._lease_end(slot, code))
            # A worker that ends by itself has no trial then, or tells why.
            is_cut = held and code in (DONE, *LASTING) and not slot.child.reason_file.exists()
            why = self._explain(slot, code)
            if is_cut:
                why, code = f"its code ended the process with exit code {code}", FAILED
            self._note_end(slot.worker, code, why)
            has_progressed = self._run.store.has_progressed(slot.worker)
            self._obey(self._run.store.study(self._run.study).stop)
        except DatabaseUnreachable:
            # A drain does not wait for the database: the lease expires by itself.
            slot.is_over = self._flag.draining
            return
        slot.exit_code = None
        slot.fruitless = 0 if has_progressed else slot.fruitless + 1
        log.info("worker %s ended by %s: %s", slot.worker, describe_exit(code), why)
        self._decide(slot, code, why)

    def _lease_end(self, slot: WorkerSlot, code: int) -> HandBackReason:
        """Return why the lease of an ended worker is ended."""
        if slot.is_stalled:
            return HandBackReason.STALLED
        # A worker that was stopped, or gave up on the database, did not die of its trial.
        is_asked = self._flag.draining or code == DRAINED
        return HandBackReason.STOPPED if is_asked else HandBackReason.KILLED

    def _explain(self, slot: WorkerSlot, code: int) -> str:
        """Return why a worker ended, in one line."""
        if slot.is_stalled:
            return "it reported no step for too long"
        if code == DONE:
            return "nothing left to do"
        if code == DRAINED and self._flag.draining:
            return "handed back"
        return slot.child.reason()

    def _decide(self, slot: WorkerSlot, code: int, why: str) -> None:
        if code == DONE:
            self._is_done = slot.is_over = True
        elif code in LASTING:
            self._trouble = self._trouble or Ending(code, why)
            slot.is_over = True
            self._flag.drain()
        elif self._flag.draining:
            slot.is_over = True
        elif slot.fruitless >= FRUITLESS_ENDS:
            slot.is_over = True
            self._trouble = self._trouble or Ending(
                FAILED,
                f"worker {slot.share.index} ended {slot.fruitless} times in a row without an epoch,"
                f" the last time by {describe_exit(code)} ({why}); see {slot.child.log}",
            )
        else:
            # 75 without a request: the worker replaces itself, for example after a CUDA error.
            slot.child.pause(0 if code == DRAINED else slot.fruitless)

    def _free(self, worker: str, code: int, why: str, lease_end: HandBackReason) -> None:
        self._run.store.end_leases(worker, lease_end)
        self._note_end(worker, code, why)

    def _note_end(self, worker: str, code: int, why: str) -> None:
        # False for one that died while it loaded libraries
        self._run.store.worker_ended(worker, code, why.removeprefix(PROGRAM))

    def _ending(self) -> Ending:
        if self._flag.now:
            return Ending(KILLED)
        if self._is_done and self._snapshot.best:
            return Ending(DONE)
        return self._trouble or Ending(FAILED if self._is_done else DRAINED)

    def _leave_nobody_behind(self) -> None:
        for slot in self._slots:
            slot.child.kill()
            code = slot.child.ended()
            if code is not None:
                with suppress(StorageError):  # then the lease expires by itself
                    self._free(
                        slot.worker, code, "killed with its supervisor", HandBackReason.STOPPED
                    )


def _worker_child(run: Run, share: DeviceShare) -> Child:
    environment = worker_environment(share, run.environment)
    return Child(log=run.logs / f"worker-{share.index}.log", environment=environment)
