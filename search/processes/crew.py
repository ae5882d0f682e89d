"""The workers of a run: one in each slot, started again until its slot is over."""

import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import psutil

from search.processes.child import Child, describe_exit
from search.processes.devices import MEND, DeviceShare, worker_environment
from search.processes.gpus import named
from search.processes.lost_devices import LostDevices
from search.processes.machine import process_scope
from search.processes.run import Ending, Run
from search.processes.signals import StopFlag
from search.processes.worker_slot import WorkerSlot
from search.report import PROGRAM, REASON_FILE
from spaces.exits import AWAY, DEVICE_LOST, DONE, DRAINED, FAILED, LASTING, ORDERLY
from storage.engine.steps import DEATHS
from storage.errors import DatabaseUnreachable, StorageError
from storage.rows import HandBackReason, Stop, WorkerRow

log = logging.getLogger(__name__)

FRUITLESS_ENDS = DEATHS + 1  # one trial that kills its workers is given up, and ends no run


class Crew:
    """The workers of a run, and what is known of their ends.

    obey: acts on the stop request that the database holds when a worker has ended.
    is_done: whether a worker found nothing left to do.
    trouble: the error that no restart can mend, if one ended a worker.
    """

    def __init__(self, run: Run, flag: StopFlag, obey: Callable[[Stop | None], None]) -> None:
        self._run, self._flag, self._obey = run, flag, obey
        self._slots = [
            WorkerSlot(share=share, child=_worker_child(run, share)) for share in run.shares
        ]
        self._devices = LostDevices(run.environment)
        self.is_done = False
        self.trouble: Ending | None = None

    @property
    def is_over(self) -> bool:
        """Whether no worker runs or starts again."""
        return all(slot.is_over for slot in self._slots)

    @property
    def is_running(self) -> bool:
        """Whether a worker's process runs."""
        return any(slot.child.process for slot in self._slots)

    def free_the_dead(self, workers: Iterable[WorkerRow]) -> None:
        """End the leases that a killed run left on this machine before they expire.

        workers: those of the study that have not ended, as the database has them.
        """
        for worker in workers:
            is_ours = (
                worker.ended_at is None and worker.machine.get("process_scope") == process_scope()
            )
            if is_ours and not psutil.pid_exists(worker.pid):
                why = "died with its supervisor"
                self._free(worker.worker, -signal.SIGKILL, why, HandBackReason.ORPHANED)

    def look_after(self, *, is_database_away: bool) -> None:
        """Settle the workers that have ended, and start one in each slot that is free."""
        for slot in self._slots:
            self._look_after(slot, is_database_away)

    def end_the_stalled(self, rows: Mapping[str, WorkerRow]) -> list[str]:
        """Kill the workers whose trials make no progress, so that others continue; name them.

        rows: the workers by name, as the database has them now.
        """
        stalled = [
            slot
            for slot in self._slots
            if slot.watch(rows.get(slot.worker), self._run.lease_seconds)
        ]
        for slot in stalled:
            log.warning("worker %s no longer moves: killed", slot.worker)
            slot.is_stalled = True
            slot.child.kill()
        return [slot.worker for slot in stalled]

    def forgive_silence(self) -> None:
        """Forget who was overdue: without the database no worker can renew its lease."""
        for slot in self._slots:
            slot.watch(None, 0)

    def drain(self) -> None:
        """Ask every worker to end its epoch and hand its trial back."""
        for slot in self._slots:
            slot.child.terminate()

    def kill(self) -> None:
        """Kill every worker with the processes that it started."""
        for slot in self._slots:
            slot.child.kill()

    def leave_nobody_behind(self) -> None:
        """Kill every worker, and free its trial."""
        self._devices.close()
        for slot in self._slots:
            slot.child.kill()
            code = slot.child.ended()
            if code is not None:
                why = "killed with its supervisor"
                with suppress(StorageError):  # then the lease expires by itself
                    self._free(slot.worker, code, why, HandBackReason.STOPPED)

    def _look_after(self, slot: WorkerSlot, is_database_away: bool) -> None:
        code, device = slot.child.ended(), slot.share.visible
        if code is not None:
            slot.exit_code = code
            if self._may_be_lost(slot, code):
                self._devices.ask(device)
        if slot.exit_code is not None:
            if not self._devices.is_asked(device):
                self._settle(slot, self._judged(slot, slot.exit_code))
        elif slot.child.process is None and (self._flag.draining or self._devices.trouble(device)):
            slot.is_over = True
        elif slot.child.may_start and not slot.is_over and not is_database_away:
            slot.start(f"{socket.gethostname()}-{slot.share.index}-{secrets.token_hex(3)}")
            command = self._run.worker_command(slot.share, slot.worker)
            slot.child.start([*command, REASON_FILE, str(slot.child.reason_file)])

    def _may_be_lost(self, slot: WorkerSlot, code: int) -> bool:
        """Say whether a worker ended in a way that leaves open whether its GPU still answers."""
        is_plain = code in (DEVICE_LOST, *ORDERLY, *LASTING) and not slot.is_stalled
        return slot.share.device == "cuda" and not is_plain and not self._flag.draining

    def _judged(self, slot: WorkerSlot, code: int) -> int:
        """Return the exit code of a worker, that of a lost device where it could not say so."""
        if code == DEVICE_LOST:
            self._devices.lose(slot.share.visible, slot.child.reason().removeprefix(PROGRAM))
        return DEVICE_LOST if self._devices.trouble(slot.share.visible) else code

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
        slot.note_end(is_away=code == AWAY, has_progressed=has_progressed)
        log.info("worker %s ended by %s: %s", slot.worker, describe_exit(code), why)
        self._decide(slot, code, why)

    def _lease_end(self, slot: WorkerSlot, code: int) -> HandBackReason:
        """Return why the lease of an ended worker is ended."""
        if code == DEVICE_LOST:
            return HandBackReason.DEVICE_LOST
        if slot.is_stalled:
            return HandBackReason.STALLED
        # A worker that was stopped, or gave up on the database, did not die of its trial.
        is_asked = self._flag.draining or code in (AWAY, DRAINED)
        return HandBackReason.STOPPED if is_asked else HandBackReason.KILLED

    def _explain(self, slot: WorkerSlot, code: int) -> str:
        """Return why a worker ended, in one line."""
        if code == DEVICE_LOST:
            return self._loss(slot.share)
        if slot.is_stalled:
            return "it reported no step for too long"
        if code == DONE:
            return "nothing left to do"
        if code in (AWAY, DRAINED) and self._flag.draining:
            return "handed back"
        return slot.child.reason()

    def _decide(self, slot: WorkerSlot, code: int, why: str) -> None:
        if code == DONE:
            self.is_done = slot.is_over = True
        elif code == DEVICE_LOST:
            slot.is_over = True
            self._lose(slot.share)
        elif code in LASTING:
            self.trouble = self.trouble or Ending(code, why)
            slot.is_over = True
            self._flag.drain()
        elif self._flag.draining:
            slot.is_over = True
        elif code == AWAY:  # it has waited for an outage's minutes, or could not start
            slot.child.pause(slot.outages)
        elif slot.fruitless >= FRUITLESS_ENDS:
            slot.is_over = True
            self.trouble = self.trouble or Ending(
                FAILED,
                f"worker {slot.share.index} ended {slot.fruitless} times in a row without an epoch,"
                f" the last time by {describe_exit(code)} ({why}); see {slot.child.log}",
            )
        else:
            # 75 without a request: the worker replaces itself, for example after a CUDA error.
            slot.child.pause(0 if code == DRAINED else slot.fruitless)

    def _loss(self, share: DeviceShare) -> str:
        """Say in one line which GPU is lost, and why."""
        trouble = self._devices.trouble(share.visible) or ""
        name = f"{named(share.label)} of {socket.gethostname()} is lost: "
        return f"{name}{trouble.removeprefix(name)}"

    def _lose(self, share: DeviceShare) -> None:
        """End the workers that share a lost GPU; without another GPU the run is at its end."""
        sharers = [slot for slot in self._slots if slot.share.visible == share.visible]
        if [slot.is_over for slot in sharers].count(True) == 1:  # the first to end with it
            log.error("%s; this run does not use it again", self._loss(share))
        for slot in sharers:
            slot.child.kill()
        if all(self._devices.trouble(slot.share.visible) for slot in self._slots):
            names = ", ".join(dict.fromkeys(named(slot.share.label) for slot in self._slots))
            self.trouble = self.trouble or Ending(
                DEVICE_LOST,
                f"{PROGRAM}every GPU of this run is lost ({names} of {socket.gethostname()}), the"
                f" last one by: {self._devices.trouble(share.visible)}; {MEND}, then"
                f" `search run --study {self._run.study}` goes on",
            )

    def _free(self, worker: str, code: int, why: str, lease_end: HandBackReason) -> None:
        self._run.store.end_leases(worker, lease_end)
        self._note_end(worker, code, why)

    def _note_end(self, worker: str, code: int, why: str) -> None:
        # False for one that died while it loaded libraries
        self._run.store.worker_ended(worker, code, why.removeprefix(PROGRAM))


def _worker_child(run: Run, share: DeviceShare) -> Child:
    environment = worker_environment(share, run.environment)
    return Child(
        log=run.logs / f"{run.log_prefix}worker-{share.index}.log", environment=environment
    )
