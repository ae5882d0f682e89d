"""A queue of results for the database: written in order, each once, also after an outage.

A result that waits here is on disk as well: an objective commits its checkpoint, with all results
so far, before it yields, and an attempt that resumes from it yields them again.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from objectives.contract import EpochResult
from storage.errors import DatabaseUnreachable

log = logging.getLogger(__name__)

# A vanished host is noticed after 10 s: trying again may take a tenth of the time, not more.
REST = 9
SHORTEST_REST_SECONDS = 0.5

SHORTEST_OUTAGE_SECONDS = 5.0  # a shorter one, such as a restart of the server, is not noted

Record = Callable[[EpochResult, float], None]
Note = Callable[[float, int], None]


class Outbox:
    """A queue of results that are written through `record` once the database takes them.

    record: writes a result with the value that the study judges it by.
    outage_minutes: how long training goes on without the database.
    note: notes an outage that is over, by its seconds and the number of epochs that waited.
    """

    def __init__(self, record: Record, outage_minutes: float, note: Note) -> None:
        self._record, self._note = record, note
        self._outage_seconds = outage_minutes * 60
        self._waiting: deque[tuple[EpochResult, float]] = deque()
        self._away_since: float | None = None
        self._try_at = 0.0
        self._written = 0  # results since the outbox was last empty

    @property
    def is_empty(self) -> bool:
        """Whether the database has every result that was sent."""
        return not self._waiting

    def send(self, result: EpochResult, value: float) -> None:
        """Write a result, or keep it; DatabaseUnreachable once the outage is longer than allowed.

        value: the number that the study judges the epoch by.
        """
        self._waiting.append((result, value))
        self.flush()
        away_seconds = time.monotonic() - (self._away_since or time.monotonic())
        if away_seconds > self._outage_seconds:
            raise DatabaseUnreachable(
                f"the database has been away for {away_seconds / 60:.0f} minutes",
                "everything trained so far is in the checkpoint: start the worker again once the"
                " database is back",
            )

    def flush(self) -> None:
        """Try to write the results that wait, unless the last try was a moment ago."""
        if self._waiting and time.monotonic() >= self._try_at:
            started = time.monotonic()
            try:
                self.empty()
            except DatabaseUnreachable as error:
                self._note_outage(error, started)

    def empty(self) -> None:
        """Write the results that wait, oldest first; DatabaseUnreachable if that fails."""
        while self._waiting:
            self._record(*self._waiting[0])
            self._waiting.popleft()
            self._written += 1
        if self._away_since is not None:
            log.info("the database is back and has every epoch")
            away_seconds = time.monotonic() - self._away_since
            self._away_since = None
            if away_seconds >= SHORTEST_OUTAGE_SECONDS:
                self._note(away_seconds, self._written)
        self._written = 0

    def _note_outage(self, error: DatabaseUnreachable, started: float) -> None:
        now = time.monotonic()
        self._try_at = now + max(SHORTEST_REST_SECONDS, REST * (now - started))
        if self._away_since is None:
            self._away_since = started
            log.warning("training goes on without the database, its epochs wait: %s", error)
