"""The store as a worker uses it between two epochs: every call waits for the database."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import optuna

from search.worker.retries import RetryPolicy
from storage import artifacts
from storage.artifacts import ArtifactStore
from storage.engine.arrays import StudyArrays
from storage.engine.drawing import Choose
from storage.engine.waiting import HasFile
from storage.errors import AlreadyDrawn, Unreachable
from storage.live.rungs import RungRow
from storage.rows import AttemptRow, EpochRow, FileRow, HandBackReason, TrialEnd
from storage.store import Claim, Nothing, Store

T = TypeVar("T")

# More than there are workers, of which each may be quicker once. Then the values are kept: their
# trial stands in the database and not among those that the sampler reads.
TIMES_TO_DRAW = 1000


class RetryingStore:
    """Methods of a Store and its artifacts, repeated by a policy while one is unreachable.

    Each is documented at Store or in storage/artifacts.py, and raises Unreachable when the policy
    gives up.
    """

    def __init__(self, store: Store, retries: RetryPolicy) -> None:
        self._store, self._retries = store, retries

    def claim(self, name: str, worker: str, *, lease_seconds: float) -> Claim | Nothing:
        """Claim the study's next trial, or return the reason for none."""
        claim = self._store.claim
        return self._retries.call(claim, name, worker, lease_seconds=lease_seconds)

    def wait(self, name: str, seconds: float, interrupt: HasFile) -> None:
        """Return when a claim may give a trial after all, after `seconds` at the latest.

        A lost database ends the wait: the next claim waits for it.
        """
        with suppress(Unreachable):
            self._store.wait(name, seconds, interrupt)

    def draw(self, claim: Claim, choose: Choose, suggest: Callable[[optuna.Trial], T]) -> T:
        """Draw the claimed trial's parameters with `suggest`, or replay those drawn before.

        Values that another trial has got in the meantime are drawn again.

        choose: builds the sampler from the study's trials.
        """

        def draw_once(*, may_repeat: bool = False) -> T:
            with self._store.trial(claim, choose, may_repeat=may_repeat) as trial:
                return suggest(trial)

        for _ in range(TIMES_TO_DRAW):
            with suppress(AlreadyDrawn):
                return self._retries.call(draw_once)
        return self._retries.call(draw_once, may_repeat=True)

    def queued_values(self, claim: Claim) -> Mapping[str, object]:
        """Read the values that the claimed trial was queued with."""
        return self._retries.call(self._store.queued_values, claim)

    def epochs(self, name: str, number: int) -> list[EpochRow]:
        """Read the recorded epochs of a trial."""
        return self._retries.call(self._store.epochs, name, number)

    def replaced_epochs(self, name: str, number: int) -> list[EpochRow]:
        """Read the epochs of a trial that later attempts replaced."""
        return self._retries.call(self._store.replaced_epochs, name, number)

    def rungs(self, name: str, number: int) -> list[RungRow]:
        """Read how a trial stood at its rungs, in order."""
        return self._retries.call(self._store.rungs, name, [number])

    def arrays(self, name: str) -> StudyArrays:
        """Return every trial as arrays."""
        return self._retries.call(self._store.arrays, name)

    def attempts(self, name: str, number: int) -> list[AttemptRow]:
        """Read the attempts at a trial."""
        return self._retries.call(self._store.attempts, name, number)

    def best(self, name: str, most: int) -> list[int]:
        """Read the numbers of the best complete trials, best first."""
        return self._retries.call(self._store.best, name, most)

    def count_same_errors(self, name: str, worker: str, where: str) -> int:
        """Count the code errors at one place since the worker began and a trial last finished."""
        return self._retries.call(self._store.count_same_errors, name, worker, where)

    def tell(self, claim: Claim, end: TrialEnd) -> None:
        """End the trial and the lease."""
        self._retries.call(self._store.tell, claim, end)

    def hand_back(self, claim: Claim, reason: HandBackReason, detail: str | None = None) -> None:
        """End the lease and leave the trial to another attempt."""
        self._retries.call(self._store.hand_back, claim, reason, detail)

    def keep_file(self, kept: ArtifactStore, claim: Claim, path: Path) -> dict[str, str]:
        """Keep a file of this attempt; return its link."""
        return self._retries.call(artifacts.keep, kept, claim, path)

    def unlink_files(self, kept: ArtifactStore, links: Iterable[str]) -> None:
        """Remove kept files whose links no trial got."""
        self._retries.call(artifacts.unlink, kept, list(links))

    def announce_file(self, claim: Claim, name: str) -> None:
        """Note a file of this attempt that any worker may write later."""
        self._retries.call(artifacts.announce, self._store, claim, name)

    def shared_files(self, name: str, number: int | None = None) -> list[FileRow]:
        """Read the notes of the files that one trial, or all, share with other machines."""
        return self._retries.call(self._store.files, name, number)

    def fetch_file(self, kept: ArtifactStore, file: FileRow, folder: Path) -> Path | None:
        """Copy a shared file into a folder; None when it is not there."""
        return self._retries.call(artifacts.fetch, kept, file, folder)

    def unshare_files(self, kept: ArtifactStore, files: Iterable[FileRow]) -> None:
        """Remove shared files and their notes."""
        # A list is read again at each try.
        self._retries.call(artifacts.unshare, self._store, kept, list(files))
