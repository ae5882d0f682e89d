"""Weights of the best trials, on their way to where other machines find them.

Only with SEARCH_ARTIFACTS. They are large and nobody needs them at once, so that the next trial
does not wait for them: a trial is told first. Before that its weights are noted; what is noted and
not there lies in the trial's folder on the machine that trained it, and is sent by whichever worker
looks next in that home. Only a home that is lost takes them along: `search retrain` makes them
again.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, Self

from objectives.contract import BEST_WEIGHTS
from objectives.files.lock import try_lock
from search.analysis.snapshot import read_snapshot
from search.settings import Settings
from search.worker.retries import Patience
from storage import artifacts
from storage.errors import StorageError, UnknownStudy
from storage.rows import FileRow
from storage.store import Claim, Store

log = logging.getLogger(__name__)

TICK_SECONDS = 0.1


def note_weights(store: Store, claim: Claim, folder: Path) -> None:
    """Note that the weights of a finished attempt are to follow; raises LeaseLost."""
    if (folder / BEST_WEIGHTS).is_file():
        artifacts.announce(store, claim, BEST_WEIGHTS)


class Weights:
    """Sends, in a thread, the best trials' weights that lie here; a context manager.

    is_over: asked while its end waits for what is on its way; a yes leaves the rest to who comes
    next. What fails is a warning and is tried again at the next look.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        study: str,
        patiently: Patience,
        is_over: Callable[[], bool],
    ) -> None:
        self._store, self._settings, self._study = store, settings, study
        self._patiently, self._is_over = patiently, is_over
        self._looks: SimpleQueue[bool] = SimpleQueue()
        # A daemon: nobody who cannot wait waits for it.
        self._thread = Thread(target=self._run, name="weights", daemon=True)
        self._sent: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self.look()  # a worker that was killed may have left some
        return self

    def __exit__(self, *_: object) -> None:
        self._looks.put(False)
        while self._thread.is_alive() and not self._is_over():
            self._thread.join(TICK_SECONDS)

    def look(self) -> None:
        """Send soon whatever is noted and not there."""
        self._looks.put(True)

    def _run(self) -> None:
        while self._looks.get():
            try:
                self._send_all()
            except (StorageError, OSError) as error:
                log.warning("weights have to wait: %s", error)

    def _send_all(self) -> None:
        noted = [file for file in self._store.files(self._study) if file.name == BEST_WEIGHTS]
        best = self._best() if noted else set()
        for file in noted:
            folder = self._settings.trial_folder(self._study, file.number)
            path = folder / f"attempt-{file.attempt}" / BEST_WEIGHTS
            if file.number in best and file.artifact_id not in self._sent and path.is_file():
                try:
                    # To be written as well, though nobody does: NFS locks no other for one alone.
                    with path.open("r+b") as content:
                        self._send(file, content)
                except OSError as error:  # the others need not wait for it
                    log.warning("%s is not sent: %s", path, error)

    def _send(self, file: FileRow, content: BinaryIO) -> None:
        kept = artifacts.artifact_store(self._settings.artifacts)
        if not try_lock(content):  # another worker of this machine sends it
            return
        if not artifacts.is_there(kept, file):
            kept.write(file.artifact_id, content)
            # A trial that is not among the best any more never is again: whoever collected its
            # files before these were there has not seen them.
            if file.number not in self._patiently(self._best):
                artifacts.remove(kept, [file.artifact_id])
        self._sent.add(file.artifact_id)

    def _best(self) -> set[int]:
        try:
            return read_snapshot(self._store, self._study).kept
        except UnknownStudy:  # deleted meanwhile
            return set()
