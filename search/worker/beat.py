"""Beats: renew a trial's lease as long as the trial makes progress."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from storage.errors import StorageError

log = logging.getLogger(__name__)

BEATS_OF_GRACE = 3
FIRST_STEP_MINUTES = 60.0  # a large data set is read for the first time before any step


class Beat:
    """A context manager: a thread calls `renew` every `seconds` while the trial makes progress.

    A trial that reports no step for `stall_minutes` is left to expire.

    give_up: called where the trial has not moved for `BEATS_OF_GRACE` further beats either; a
        process that was paused has them to go on. None where a supervisor sees to it.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        *,
        seconds: float,
        stall_minutes: float,
        give_up: Callable[[], None] | None = None,
    ) -> None:
        self._renew, self._give_up = renew, give_up
        self._seconds = seconds
        self._stall_seconds = stall_minutes * 60
        self._stalled_at = time.monotonic() + FIRST_STEP_MINUTES * 60
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def progress(self) -> None:
        """Note progress of the trial: an optimizer step, a validation batch, a cached image."""
        self._stalled_at = time.monotonic() + self._stall_seconds

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        still = 0  # beats in a row in which the trial did not move
        while not self._ended.wait(self._seconds):
            if time.monotonic() > self._stalled_at:
                log.warning("the trial does not move; its lease may expire")
                still += 1
                if self._give_up and still > BEATS_OF_GRACE:
                    self._give_up()
                continue
            still = 0
            try:
                self._renew()
            except StorageError as error:
                # A beat that failed is tried again: one lost write must not make a healthy
                # trial look dead. The epochs that wait are a warning of their own.
                log.debug("a beat failed: %s", error)
