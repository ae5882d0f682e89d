"""Where the time of a study's workers went."""

from dashboards.analysis.attempts.seldom import Seldom
from dashboards.analysis.snapshot import Snapshot
from storage.live.hours import GpuSeconds, GpuTally
from storage.reader import StoreReader


class HoursReader:
    """Reads the sums; after the first time only of the trials that have changed.

    While no trial ends they are some seconds old.
    """

    def __init__(self) -> None:
        self._last: GpuTally | None = None
        self._seldom = Seldom()

    def read(self, store: StoreReader, snapshot: Snapshot) -> GpuSeconds:
        """Read the sums of now."""
        is_due = self._seldom.is_due(is_changed=bool(snapshot.look.ended))
        if is_due or self._last is None:
            self._last = store.gpu_seconds(snapshot.study.name, self._last)
        return self._last.seconds
