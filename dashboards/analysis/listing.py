"""Every stored study in one line, read again and again."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from dashboards.analysis.attempts.hours import HoursReader
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from dashboards.analysis.trials.measures import interval_of
from dashboards.analysis.verdict import Verdict, verdict_of
from dashboards.analysis.wording import measure
from spaces.errors import StudyError
from storage.errors import UnknownStudy
from storage.live.versions import StudyVersion
from storage.reader import StoreReader


@dataclass(frozen=True, kw_only=True)
class StudyLine:
    """A study in a line.

    fault: why it cannot be read, for a study of another version; all but the name is empty then.
    ended, total: its trials, and how many it will have.
    measure: of a trial's value, such as `val_loss, mean over 5 folds`.
    low, high: the 95 % interval of the best value; None where none is recorded.
    workers: how many are at work.
    device_seconds: the time that its trials took on all devices; None where it was not asked for.
    newest_at: the last time that a trial ended, or that a running one recorded an epoch.
    """

    name: str
    created_at: datetime
    verdict: Verdict | None = None
    fault: str = ""
    is_practice: bool = False
    about: str = ""
    ended: int = 0
    total: int = 0
    running: int = 0
    metric: str = ""
    measure: str = ""
    direction: str = ""
    best: float | None = None
    best_trial: int | None = None
    low: float | None = None
    high: float | None = None
    workers: int = 0
    remaining_seconds: float | None = None
    newest_at: datetime | None = None
    test_uses: int = 0
    device_seconds: float | None = None


class StudiesReader:
    """Reads every study; a study that has not changed costs nothing but a share of one statement.

    has_hours: whether to read the time of the devices too.
    """

    def __init__(self, store: StoreReader, *, has_hours: bool = False) -> None:
        self._store, self._has_hours = store, has_hours
        self._snapshots: dict[str, Snapshot] = {}
        self._hours: dict[str, HoursReader] = {}
        self._lines: dict[StudyVersion, StudyLine] = {}

    def read(self) -> list[StudyLine]:
        """Read the studies, those that run first, then the newest first."""
        lines = {}
        for row in self._store.study_versions():
            line = None if row.is_active else self._lines.get(row)
            if line := line or self._read(row):
                lines[row] = line
        self._forget_all_but({row.name for row in lines})
        self._lines = lines
        return sorted(
            lines.values(), key=lambda line: (not line.workers, -line.created_at.timestamp())
        )

    def _read(self, row: StudyVersion) -> StudyLine | None:
        try:
            with self._store.one_moment():
                return self._line(row.name)
        except UnknownStudy:  # deleted meanwhile
            return None
        except StudyError as error:
            return StudyLine(name=row.name, created_at=row.created_at, fault=str(error))

    def _forget_all_but(self, names: Set[str]) -> None:
        self._snapshots = {name: each for name, each in self._snapshots.items() if name in names}
        self._hours = {name: each for name, each in self._hours.items() if name in names}

    def _line(self, name: str) -> StudyLine:
        before = self._snapshots.get(name)
        snapshot = read_snapshot(self._store, name, before, newest=1)
        if before and before.look.identity != snapshot.look.identity:
            self._hours.pop(name, None)
        self._snapshots[name] = snapshot
        verdict = verdict_of(snapshot, self._store.recent_workers(name, most=1))
        return replace(line_of(snapshot, verdict), device_seconds=self._device_seconds(snapshot))

    def _device_seconds(self, snapshot: Snapshot) -> float | None:
        if not self._has_hours:
            return None
        reader = self._hours.setdefault(snapshot.study.name, HoursReader())
        return reader.read(self._store, snapshot).total


def line_of(snapshot: Snapshot, verdict: Verdict) -> StudyLine:
    """Return a study at one moment in a line."""
    study, look, best = snapshot.study, snapshot.look, snapshot.best
    low, high = interval_of(study, best)
    return StudyLine(
        name=study.name,
        created_at=look.study.created_at,
        verdict=verdict,
        is_practice=snapshot.stored.found.is_practice,
        about=" ".join(study.about.split()),
        ended=snapshot.ended,
        total=study.trials,
        running=sum(trial.is_leased for trial in snapshot.running),
        metric=study.metric,
        measure=measure(study),
        direction=study.direction,
        best=best.value if best else None,
        best_trial=best.number if best else None,
        low=low,
        high=high,
        workers=len(snapshot.live_workers),
        remaining_seconds=snapshot.remaining_seconds(),
        newest_at=_newest_at(snapshot),
        test_uses=len(look.test_uses),
    )


def _newest_at(snapshot: Snapshot) -> datetime | None:
    ends: Sequence[datetime | None] = [row.ended_at for row in snapshot.look.newest]
    epochs = [row.last.recorded_at for row in snapshot.running if row.last]
    return max(filter(None, [*ends, *epochs]), default=None)
