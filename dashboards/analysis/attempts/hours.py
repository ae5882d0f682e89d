"""Where the time of a study's workers went, and how much is still to come."""

from dataclasses import dataclass

from dashboards.analysis.attempts.seldom import Seldom
from dashboards.analysis.snapshot import Snapshot
from storage.live.hours import GpuSeconds
from storage.reader import StoreReader


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Seconds of all devices, which may be CPUs, by what became of the trials.

    lost: epochs that were not recorded, or trained twice, because a worker died.
    saved: the time that the rest of the pruned trials would have taken.
    remaining: the time of the open trials at the pace so far; None where that is unknown.
    """

    finished: float = 0.0
    pruned: float = 0.0
    failed: float = 0.0
    running: float = 0.0
    lost: float = 0.0
    saved: float = 0.0
    remaining: float | None = None

    @property
    def spent(self) -> float:
        """All that was spent so far."""
        return self.finished + self.pruned + self.failed + self.running + self.lost

    @property
    def expected(self) -> float | None:
        """The time of the whole study at its end; None where that is unknown."""
        return None if self.remaining is None else self.spent + self.remaining


class HoursReader:
    """Reads the sums; after the first time only of the trials that have changed.

    While no trial ends they are some seconds old.
    """

    def __init__(self) -> None:
        self._seconds: GpuSeconds | None = None
        self._seldom = Seldom()

    def read(self, store: StoreReader, snapshot: Snapshot) -> Hours:
        """Read the sums of now."""
        is_due = self._seldom.is_due(is_changed=bool(snapshot.look.ended))
        if is_due or self._seconds is None:
            self._seconds = store.gpu_seconds(snapshot.study.name, self._seconds)
        seconds = self._seconds
        return Hours(
            finished=seconds.finished,
            pruned=seconds.pruned,
            failed=seconds.failed,
            running=seconds.running,
            lost=seconds.lost,
            saved=seconds.saved,
            remaining=remaining_device_seconds(snapshot),
        )


def remaining_device_seconds(snapshot: Snapshot) -> float | None:
    """Estimate the time that all devices together will still train; None where it is unknown.

    0 where every trial has ended.
    """
    open_trials = snapshot.study.trials - snapshot.ended
    if open_trials <= 0:
        return 0.0
    seconds = snapshot.remaining_seconds()
    at_once = min(len(snapshot.live_workers), open_trials)
    return None if seconds is None else max(0.0, seconds * at_once)
