"""A claimed trial in its worker's hands, and the one place that says when it must end early."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Self

from objectives.contract import EpochResult
from search.errors import NO_STEP
from search.worker.beat import Beat
from search.worker.endings import HandedBack, Lost
from search.worker.outbox import Outbox
from search.worker.retries import RetryPolicy
from search.worker.retrying_store import RetryingStore
from search.worker.worker import Worker
from spaces.exits import DRAINED
from storage.engine.rungs import Arrival, Standing
from storage.errors import LeaseLost, StorageError
from storage.rows import HandBackReason, Stop
from storage.store import Claim

log = logging.getLogger(__name__)


class Halt(Enum):
    """Why an attempt must end early."""

    DRAINING = "finish the epoch in flight, then hand the trial back"
    STOPPED = "hand the trial back at once; the next attempt begins at the last checkpoint"
    LOST = "write nothing more: the trial is another attempt's"


class Halted(BaseException):
    """Raised in the middle of an epoch that may not go on; `LeasedTrial.halt` says why.

    It is not an Exception, because training code may catch those.
    """


class LeasedTrial:
    """A trial while its worker holds the lease; a context manager that keeps the lease alive.

    It is not called an attempt: objectives.contract.Attempt is the part that an objective sees.

    store: the worker's store, repeated while the database or the artifact store is away.
    folder: where this attempt writes.
    outbox: the results on their way to the database.
    """

    def __init__(self, worker: Worker, claim: Claim) -> None:
        self.worker, self.claim = worker, claim
        retries = RetryPolicy(self._is_draining, worker.study.outage_minutes)
        self.store = RetryingStore(worker.store, retries)
        self.folder = worker.settings.attempt_folder(
            worker.study.name, claim.number, claim.attempt, claim.worker
        )
        self.outbox = Outbox(self._record, worker.study.outage_minutes, worker.note_outage)
        self._is_lost = False
        self._stop: Stop | None = None  # in the database, as the newest write read it
        self._beat = self._new_beat()

    def __enter__(self) -> Self:
        self._beat = self._new_beat()  # a lease is kept in training, and again for the files
        self._beat.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._beat.__exit__(*error)

    @property
    def halt(self) -> Halt | None:
        """Why the attempt must end early, None while it may go on; to be asked between steps."""
        if self._is_lost:
            return Halt.LOST
        if self.worker.flag.now or self._stop == "now":
            return Halt.STOPPED
        if self.worker.flag.draining or self._stop == "drain":
            return Halt.DRAINING
        return None

    @property
    def ending_in_epoch(self) -> HandedBack | Lost:
        """The ending of an attempt that was halted in the middle of an epoch."""
        if self.halt is Halt.LOST:
            return Lost()
        return HandedBack(HandBackReason.STOPPED_AT_ONCE)

    def progress(self) -> None:
        """Note progress of the trial; raise Halted if the attempt must end before its next step."""
        self._beat.progress()
        self.check()

    def check(self) -> None:
        """Raise Halted if the attempt must end before its next step; this is no progress."""
        if self.halt in (Halt.STOPPED, Halt.LOST):
            raise Halted
        self.outbox.flush()  # an epoch may take long after the database is back

    def note_rung(self, arrival: Arrival) -> Standing | None:
        """Note the trial at a rung and return its rank; None when the lease is lost."""
        with self.noticing_loss():
            return self.worker.store.note_rung(self.claim, arrival)
        return None

    @contextmanager
    def noticing_loss(self) -> Iterator[None]:
        """Halt the attempt as lost when the fence refuses a write in the block; swallow that error.

        This is the only place in a worker that catches LeaseLost.
        """
        try:
            yield
        except LeaseLost as error:
            if not self._is_lost:
                log.warning("trial %d is lost: %s", self.claim.number, error)
            self._is_lost = True

    def _is_draining(self) -> bool:
        """Say whether a wait is to end because the worker is to stop; the wait is no stall."""
        self._beat.progress()
        return self.worker.flag.draining

    def _new_beat(self) -> Beat:
        seconds, stall_minutes = self.worker.settings.beat_seconds, self.worker.study.stall_minutes
        give_up = self._end_process if self.worker.is_alone else None
        return Beat(self._renew, seconds=seconds, stall_minutes=stall_minutes, give_up=give_up)

    def _end_process(self) -> None:
        """Hand back a trial that no longer moves, and end this process, for no code of it answers.

        While the database is away nothing ends: the trial may be waiting for it.
        """
        worker, why = self.worker, NO_STEP
        try:
            with self.noticing_loss():
                worker.store.hand_back(self.claim, HandBackReason.STALLED, why)
            worker.store.worker_ended(worker.name, DRAINED, why)
        except StorageError as error:
            log.warning("the trial does not move, and cannot be handed back: %s", error)
            return
        log.error("%s; this process ends, to be started again", why)
        os._exit(DRAINED)

    def _renew(self) -> None:
        if not self._is_lost:
            with self.noticing_loss():
                self._stop = self.worker.store.beat(self.claim, self.worker.gauges.read())

    def _record(self, result: EpochResult, value: float) -> None:
        with self.noticing_loss():
            self._stop = self.worker.store.record(
                self.claim,
                result.epoch,
                result.metrics,
                value,
                seconds=result.seconds,
                images=result.images,
                is_deterministic=self.worker.is_deterministic,
            )
