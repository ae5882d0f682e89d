"""Results on their way to the database: in order, each once, whether or not it answers now.

What waits here is on disk as well: an objective commits its checkpoint, with all results so far,
before it yields, and whoever resumes from it yields them again.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from objectives.contract import EpochResult
from storage.errors import DatabaseUnreachable
from storage.rows import Stop

log = logging.getLogger(__name__)

# A vanished host is noticed after 10 s: trying again may take a tenth of the time, not more.
REST = 9
SHORTEST_REST_SECONDS = 0.5

Record = Callable[[EpochResult], Stop | None]


class Outbox:
    """Writes results through `record`; keeps those that the database cannot take now.

    patience_minutes: how long training goes on without the database.
    stop: what `search stop` asked for, as the latest write heard it.
    """

    def __init__(self, record: Record, patience_minutes: float) -> None:
        self.stop: Stop | None = None
        self._record = record
        self._patience_seconds = patience_minutes * 60
        self._waiting: deque[EpochResult] = deque()
        self._away_since: float | None = None
        self._try_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether the database has every result that was sent."""
        return not self._waiting

    def send(self, result: EpochResult) -> None:
        """Write a result, or keep it for later; DatabaseUnreachable when patience has ended.

        Raises LeaseLost when the trial is another attempt's: what waits here is dropped then, for
        that attempt has it from the checkpoint.
        """
        self._waiting.append(result)
        self.flush()
        away_seconds = time.monotonic() - (self._away_since or time.monotonic())
        if away_seconds > self._patience_seconds:
            raise DatabaseUnreachable(
                f"the database has been away for {away_seconds / 60:.0f} minutes; what was trained"
                " is in the checkpoint: start the worker again once it is back"
            )

    def flush(self) -> None:
        """Try to write what waits, unless the last try was a moment ago; it costs nothing then."""
        if self._waiting and time.monotonic() >= self._try_at:
            started = time.monotonic()
            try:
                self.empty()
            except DatabaseUnreachable as error:
                self._note_away(error, started)

    def empty(self) -> None:
        """Write what waits, oldest first; DatabaseUnreachable when that is not possible now."""
        while self._waiting:
            self.stop = self._record(self._waiting[0])
            self._waiting.popleft()
        if self._away_since is not None:
            log.info("the database is back and has every epoch")
            self._away_since = None

    def _note_away(self, error: DatabaseUnreachable, started: float) -> None:
        now = time.monotonic()
        self._try_at = now + max(SHORTEST_REST_SECONDS, REST * (now - started))
        if self._away_since is None:
            self._away_since = started
            log.warning("training goes on without the database, its epochs wait: %s", error)
