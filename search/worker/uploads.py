"""Upload the weights of the best trials for other machines.

Only with SEARCH_ARTIFACTS. Weights are large and not needed at once, so the next trial does not
wait for them: they are noted, the trial's end is written down, and a thread uploads them. Noted
weights that are not uploaded yet lie in the trial's folder on the machine that trained it; the next
worker in that home uploads them. If the home is lost, `search retrain` makes them again.
"""

import logging
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, Self

from objectives.contract import BEST_WEIGHTS
from objectives.files.lock import try_lock
from search.worker.leased_trial import LeasedTrial
from search.worker.worker import Worker
from storage import artifacts
from storage.errors import StorageError, UnknownStudy
from storage.rows import FileRow

log = logging.getLogger(__name__)

TICK_SECONDS = 0.1


def announce_weights(leased: LeasedTrial) -> None:
    """Note that the weights of a finished attempt will follow; raises LeaseLost."""
    if (leased.folder / BEST_WEIGHTS).is_file():
        leased.store.announce_file(leased.claim, BEST_WEIGHTS)


class WeightUploads:
    """A thread that uploads the best trials' weights from this home; a context manager.

    Its end waits for uploads in progress, unless the process is told to stop at once: the rest is
    left to the next worker. An upload is tried again for as long as the study waits for a database.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker, self._study = worker, worker.study.name
        self._looks: SimpleQueue[set[int] | None] = SimpleQueue()
        # A daemon: a process that is told to stop at once does not wait for it.
        self._thread = Thread(target=self._run, name="weights", daemon=True)
        self._sent: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        # A worker that was killed may have left some.
        self.look(self._best_now())
        return self

    def __exit__(self, *_: object) -> None:
        self._looks.put(None)
        while self._thread.is_alive() and not self._worker.flag.now:
            self._thread.join(TICK_SECONDS)

    def look(self, kept: set[int]) -> None:
        """Upload soon the noted weights of the best trials that are not there yet.

        kept: their numbers.
        """
        self._looks.put(kept)

    def _run(self) -> None:
        while (kept := self._looks.get()) is not None:
            try:
                self._worker.retries.call(self._send_all, kept)
            except (StorageError, OSError) as error:
                log.warning("weights are not uploaded yet: %s", error)

    def _send_all(self, kept: set[int]) -> None:
        for file in self._worker.store.files(self._study):
            folder_of = self._worker.settings.attempt_folder
            folder = folder_of(self._study, file.number, file.attempt, file.worker)
            path = folder / BEST_WEIGHTS
            is_wanted = file.name == BEST_WEIGHTS and file.number in kept
            if is_wanted and file.artifact_id not in self._sent and path.is_file():
                try:
                    # Opened for writing only because NFS needs that for the lock.
                    with path.open("r+b") as content:
                        self._send(file, content)
                except OSError as error:  # the others need not wait for it
                    log.warning("%s is not uploaded: %s", path, error)

    def _send(self, file: FileRow, content: BinaryIO) -> None:
        destination = self._worker.kept
        if not try_lock(content):  # another worker of this machine sends it
            return
        if not artifacts.is_there(destination, file):
            destination.write(file.artifact_id, content)
            # Read anew: a trial that has left the best never comes back, and a worker that removed
            # its files before these were there did not see them.
            if file.number not in self._best_now():
                artifacts.remove(destination, [file.artifact_id])
        self._sent.add(file.artifact_id)

    def _best_now(self) -> set[int]:
        try:
            keep = self._worker.study.keep
            return set(self._worker.retrying_store.best(self._study, keep))
        except UnknownStudy:  # deleted meanwhile
            return set()
