"""A worker: one process on one device that follows the trials of one study."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from objectives import catalog
from objectives.contract import DataSource, Objective
from search.processes.gauges import Gauges
from search.processes.signals import StopFlag
from search.settings import Settings
from search.worker.retries import RetryPolicy
from search.worker.retrying_store import RetryingStore
from spaces.stored import StoredStudy
from spaces.study import Study
from storage.artifacts import ArtifactStore, artifact_store
from storage.errors import StorageError
from storage.live.outages import NewOutage
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker's study, store and device.

    store: raises Unreachable at once while the database is away, for calls that must not wait.
    device: "cuda" or "cpu".
    threads: this worker's share of the cores.
    gpu: the label of its GPU, "" on the CPU.
    gpu_memory: the share of the GPU's memory that this process may take.
    code: this machine's folder of the author's own code.
    artifact_mark: that of a folder which machines share; None where they share none, or a bucket.
    flag: the signals that this process received.
    is_alone: whether no supervisor of ours ends this process when its trial no longer moves.
    """

    name: str
    stored: StoredStudy
    store: Store
    settings: Settings
    data: DataSource
    device: str
    threads: int
    flag: StopFlag
    gpu: str = ""
    gpu_memory: float = 1.0
    code: Path | None = None
    artifact_mark: str | None = None
    is_alone: bool = False

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study

    @cached_property
    def is_deterministic(self) -> bool:
        """Whether the study's code gives the same numbers again from the same checkpoint."""
        return catalog.describe(self.stored.objective).deterministic

    @cached_property
    def objective(self) -> Objective:
        """The function that trains; the first use imports it, and torch with it."""
        return catalog.load(self.stored.objective, self.code)

    @cached_property
    def kept(self) -> ArtifactStore:
        """The store of the files that outlive their attempt."""
        return artifact_store(self.settings.artifacts, self.artifact_mark)

    @property
    def retries(self) -> RetryPolicy:
        """The policy for calls that wait for the database, until this process is told to stop."""
        return RetryPolicy(lambda: self.flag.draining, self.study.outage_minutes)

    @property
    def retrying_store(self) -> RetryingStore:
        """The store whose calls are repeated by that policy."""
        return RetryingStore(self.store, self.retries)

    @cached_property
    def _outages(self) -> Iterator[int]:
        return count(1)

    def note_outage(self, seconds: float, epochs: int) -> None:
        """Store an outage of the database that is over; a failure is logged, and costs no more.

        seconds: how long ago it began.
        epochs: how many epochs waited for its end.
        """
        outage = NewOutage(
            worker=self.name, outage=next(self._outages), seconds=seconds, epochs=epochs
        )
        try:
            self.store.note_outage(outage)
        except StorageError as error:
            log.warning("an outage of %.0f s is not noted: %s", seconds, error)

    @cached_property
    def gauges(self) -> Gauges:
        """The readings of this process and its device."""
        return Gauges(self.device)


def worker_name() -> str:
    """Make up a name that no other worker has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
