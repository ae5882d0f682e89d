"""A slot of the supervisor: it holds one worker after another."""

import time
from dataclasses import dataclass, field

from search.processes.child import Child
from search.processes.devices import DeviceShare
from storage.rows import WorkerRow


@dataclass(kw_only=True)
class WorkerSlot:
    """The share of one worker, its process, and its record so far."""

    share: DeviceShare
    child: Child
    worker: str = ""  # the name of the latest worker here
    exit_code: int | None = None  # of a worker that ended and whose trial is not freed yet
    fruitless: int = 0  # ends in a row without a newly recorded epoch
    outages: int = 0  # ends in a row because the database or the artifact store stayed away
    is_over: bool = False  # no worker starts here again
    is_stalled: bool = False  # the worker was killed because its trial no longer moved
    _overdue_since: float | None = field(default=None, repr=False)

    def start(self, worker: str) -> None:
        """Note the name of the worker that starts here."""
        self.worker, self.is_stalled, self._overdue_since = worker, False, None

    def note_end(self, *, is_away: bool, has_progressed: bool) -> None:
        """Count the end of a worker; one by an outage leaves the count of fruitless ends.

        is_away: whether the database or the artifact store stayed away.
        has_progressed: whether the worker recorded a new epoch.
        """
        self.outages = self.outages + 1 if is_away else 0
        if has_progressed:
            self.fruitless = 0
        elif not is_away:
            self.fruitless += 1

    def watch(self, row: WorkerRow | None, grace_seconds: float) -> bool:
        """Say whether the worker has been overdue for longer than the grace period.

        A paused process is not overdue. Once woken, it has the whole grace period to beat again.

        row: the worker as the database has it now.
        """
        if row is None or not row.is_overdue or self.child.is_paused:
            self._overdue_since = None
            return False
        self._overdue_since = self._overdue_since or time.monotonic()
        return time.monotonic() - self._overdue_since > grace_seconds
