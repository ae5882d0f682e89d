"""The sign of life of a trial: its lease is renewed as long as it makes progress."""

import logging
import threading
import time
from types import TracebackType

from storage.errors import LeaseLost, StorageError
from storage.rows import Stop
from storage.store import Claim, Store

log = logging.getLogger(__name__)

FIRST_STEP_MINUTES = 60.0  # reading a large data set for the first time comes before any step


class Beat:
    """Renews a lease every `beat_seconds` while the trial moves; a context manager.

    A trial that reports no step for `stall_minutes` is left to expire.
    stop: what `search stop` asked for, as the latest beat heard it. lost: what the database said
    when the trial had become another attempt's.
    """

    def __init__(
        self, store: Store, claim: Claim, beat_seconds: float, stall_minutes: float
    ) -> None:
        self.stop: Stop | None = None
        self.lost: LeaseLost | None = None
        self._store = store
        self._claim = claim
        self._beat_seconds = beat_seconds
        self._stall_seconds = stall_minutes * 60
        self._stalled_at = time.monotonic() + FIRST_STEP_MINUTES * 60
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def progress(self) -> None:
        """Note that the trial moved: an optimizer step, a validation batch, an image cached.

        Raises LeaseLost once the trial is another attempt's: not one more step is worth while.
        """
        if self.lost:
            raise self.lost
        self._stalled_at = time.monotonic() + self._stall_seconds

    def __enter__(self) -> "Beat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._beat_seconds) and not self.lost:
            if time.monotonic() > self._stalled_at:
                log.warning("trial %d does not move; its lease may expire", self._claim.number)
                continue
            try:
                self.stop = self._store.beat(self._claim)
            except LeaseLost as error:
                self.lost = error
            except StorageError as error:
                # A beat that failed is tried again: one lost write must not make a healthy
                # trial look dead.
                log.debug("a beat failed: %s", error)  # results that wait say so aloud
