"""A place for one worker: who works there, and how it went so far."""

import time
from dataclasses import dataclass

from search.processes.child import Child
from search.processes.devices import DeviceShare
from storage.rows import WorkerRow


@dataclass
class WorkerSlot:
    """A share, the worker at work there, and how it went so far.

    exit_code: of a worker that has ended but not been settled with the database yet.
    fruitless: ends in a row without a newly recorded epoch. is_over: nobody starts here again.
    is_stalled: its worker was ended because its trial no longer moved.
    """

    share: DeviceShare
    child: Child
    worker: str = ""
    exit_code: int | None = None
    fruitless: int = 0
    is_over: bool = False
    is_stalled: bool = False
    _overdue_since: float | None = None

    def start(self, worker: str) -> None:
        """Note who is to work here from now on."""
        self.worker, self.is_stalled, self._overdue_since = worker, False, None

    def watch(self, row: WorkerRow | None, grace_seconds: float) -> bool:
        """Say whether the worker has been overdue for longer than the grace.

        row: how the database has it now. A paused process is no stalled one: whoever paused it
        may wake it, and then it has the grace to beat again.
        """
        if row is None or not row.is_overdue or self.child.is_paused:
            self._overdue_since = None
            return False
        self._overdue_since = self._overdue_since or time.monotonic()
        return time.monotonic() - self._overdue_since > grace_seconds
