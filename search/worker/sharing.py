"""Checkpoints that another machine can continue from, uploaded in the background.

Only with SEARCH_ARTIFACTS: without it a trial's files stay on the machine that trains it.
"""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from io import FileIO
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO, Self

from objectives.contract import BEST_WEIGHTS, Attempt, EpochResult, Objective
from objectives.files import checkpoints
from objectives.files.disk import when_there_is_room
from search.worker.leased_trial import LeasedTrial
from search.worker.worker import Worker
from storage import artifacts
from storage.engine.arrays import StudyArrays
from storage.errors import StorageError
from storage.store import Claim

log = logging.getLogger(__name__)

KEPT = 2  # as on disk: a torn newest one costs one epoch
FETCHES = 3  # an answer of S3 that breaks off in its headers is a short file without an error
TICK_SECONDS = 0.1


class CheckpointUploads:
    """A thread that shares an attempt's newest checkpoint, one at a time; a context manager.

    A failed upload is a warning: the trial goes on, the checkpoint on this machine counts, and the
    next epoch's is tried.
    """

    def __init__(self, worker: Worker, claim: Claim) -> None:
        self._worker, self._claim = worker, claim
        self._thread = ThreadPoolExecutor(1, "upload")
        self._is_over = Event()
        self._newest: tuple[Future[None], BinaryIO] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Break off an upload in progress: a trial that has ended needs no checkpoint."""
        self._drop_waiting()
        self._is_over.set()
        self._thread.shutdown(wait=False)

    def following(self, objective: Objective) -> Objective:
        """Wrap an objective so that each new checkpoint of it is shared."""

        def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
            with closing(objective(config, attempt)) as results:  # type: ignore[type-var]
                for result in results:
                    path = checkpoints.newest([attempt.folder])
                    if path and checkpoints.epoch_of(path.name) == result.epoch:
                        self.offer(path)
                    yield result

        return train

    def offer(self, path: Path) -> None:
        """Share a file soon, in place of an older one that still waits."""
        self._drop_waiting()
        # Open from now on: the objective removes old checkpoints.
        content = Content(path, self._is_over)
        self._newest = self._thread.submit(self._share, path.name, content), content

    def finish(self) -> None:
        """Wait until the file offered last is shared, or the process is told to stop at once."""
        while self._newest and not self._worker.flag.now:
            if wait([self._newest[0]], TICK_SECONDS).done:
                return

    def _drop_waiting(self) -> None:
        if self._newest and self._newest[0].cancel():
            self._newest[1].close()

    def _share(self, name: str, content: BinaryIO) -> None:
        store = self._worker.store
        try:
            kept = self._worker.kept
            with content:
                artifacts.share(store, kept, self._claim, name=name, content=content)
            shared = store.files(self._claim.study, self._claim.number)
            old = [file for file in shared if checkpoints.epoch_of(file.name)][:-KEPT]
            artifacts.unshare(store, kept, old)
        except BrokenOff:
            log.info("%s is not shared: this attempt is over", name)
        except (StorageError, OSError) as error:
            log.warning("%s is not shared: %s", name, error)


class BrokenOff(Exception):
    """The upload of a file that is no longer needed."""


class Content(FileIO):
    """A file whose reads raise BrokenOff once `is_over`, which ends a write of it anywhere."""

    def __init__(self, path: Path, is_over: Event) -> None:
        super().__init__(path)
        self._is_over = is_over

    def read(self, size: int | None = -1, /) -> bytes:
        if self._is_over.is_set():
            raise BrokenOff
        return super().read(size)


def bring_checkpoint(leased: LeasedTrial, here: Path | None) -> Path | None:
    """Find the newest good checkpoint of a trial: `here`, or a later shared one.

    A shared one is copied into the attempt's folder.
    """
    store, claim, folder = leased.store, leased.claim, leased.folder
    epoch_here = checkpoints.epoch_of(here.name) if here else 0
    shared = store.shared_files(claim.study, claim.number)
    for file in sorted(shared, key=lambda file: -checkpoints.epoch_of(file.name)):
        if checkpoints.epoch_of(file.name) <= epoch_here:
            break
        fetch = partial(store.fetch_file, leased.worker.kept, file, folder)
        for _ in range(FETCHES):
            path = when_there_is_room(fetch, folder, leased.progress)
            if path and checkpoints.newest_good([folder]) == path:
                log.info("going on from %s, which another machine shared", file.name)
                return path
    return here


def collect_shared(worker: Worker, trials: StudyArrays, kept: set[int]) -> None:
    """Remove the shared files of ended trials, all but the weights of the kept ones.

    kept: the numbers of the best trials.
    """
    store = worker.retrying_store
    shared = store.shared_files(trials.name)
    final = trials.ended_among({file.number for file in shared})
    old = [
        file
        for file in shared
        if file.number in final and not (file.name == BEST_WEIGHTS and file.number in kept)
    ]
    store.unshare_files(worker.kept, old)
