"""One study, read again and again: its frame, and the parts that only pages draw."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.analysis.attempts.happenings import Happenings, HappeningsReader
from dashboards.analysis.attempts.hours import HoursReader
from dashboards.analysis.attempts.lanes import Lanes, LanesReader
from dashboards.analysis.attempts.ledger import Ledger
from dashboards.analysis.curves.courses import Courses, CoursesReader
from dashboards.analysis.frame import Frame, read_frame
from dashboards.analysis.machines import Machine, MachinesReader
from dashboards.analysis.priors.evidence import Evidence, EvidenceReader
from dashboards.analysis.priors.knowledge import Knowledge, KnowledgeReader
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.classes import Classes, ClassesReader
from dashboards.analysis.trials.history import History, HistoryReader
from dashboards.analysis.trials.kept import KeptTables
from dashboards.analysis.trials.latest import Latest, LatestReader
from dashboards.analysis.trials.ties import Ties, TiesReader
from dashboards.analysis.verdict import Verdict, database_away
from spaces.stored import StoredStudy
from spaces.study import Study
from storage.errors import DatabaseUnreachable
from storage.live.hours import GpuSeconds
from storage.reader import StoreReader
from storage.rows import WorkerRow


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A study at one moment, as its pages show it; its size does not grow with the study.

    read_at: the moment of reading, by the database's clock as every other moment.
    """

    frame: Frame
    read_at: datetime
    history: History
    evidence: Evidence
    knowledge: Knowledge
    classes: Classes
    ties: Ties
    latest: Latest
    courses: Courses
    hours: GpuSeconds
    lanes: Lanes
    machines: Sequence[Machine]
    happenings: Happenings

    @property
    def snapshot(self) -> Snapshot:
        """The stored rows in sums."""
        return self.frame.snapshot

    @property
    def stored(self) -> StoredStudy:
        """The study with the facts of its creation."""
        return self.frame.snapshot.stored

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.frame.snapshot.study

    @property
    def verdict(self) -> Verdict:
        """The study's state in a sentence."""
        return self.frame.verdict

    @property
    def workers(self) -> Sequence[WorkerRow]:
        """The workers that are at work."""
        return self.frame.snapshot.live_workers


class OverviewReader:
    """Reads one study; each time only what has changed since the time before.

    While the database is away it returns the last overview with the verdict that says so.
    """

    def __init__(self, store: StoreReader, name: str, artifacts: str) -> None:
        """Read nothing yet.

        artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
        """
        self._store, self.name, self._artifacts = store, name, artifacts
        self._parts = _Parts(name, artifacts)
        self._last: Overview | None = None
        self._last_at = 0.0
        self._away_since: datetime | None = None

    def ask(self, number: int) -> None:
        """Read the curve of this trial too from the next reading on."""
        self._parts.courses.ask(number)

    def read(self) -> Overview:
        """Read the study now.

        Raises UnknownStudy, and DatabaseUnreachable before the first reading.
        """
        try:
            self._last, self._last_at = self._read(), time.monotonic()
            self._away_since = None
            return self._last
        except DatabaseUnreachable:
            if self._last is None:
                raise
            since_then = timedelta(seconds=time.monotonic() - self._last_at)
            self._away_since = self._away_since or self._last.read_at + since_then
            return _away(self._last, self._away_since)

    def _read(self) -> Overview:
        before = self._last
        with self._store.one_moment():
            frame = read_frame(self._store, self.name, before.frame if before else None)
            identity = frame.snapshot.look.identity
            if before and identity != before.snapshot.look.identity:
                self._parts = _Parts(self.name, self._artifacts)
            parts = self._parts.read(self._store, frame.snapshot)
        files = self._parts.read_files(self._store, frame.snapshot)
        read_at = frame.snapshot.look.read_at or datetime.now(UTC)
        return Overview(frame=frame, read_at=read_at, **parts, **files)


class _Parts:
    """The readers of the parts of one study, for as long as it is the same one."""

    def __init__(self, name: str, artifacts: str) -> None:
        self._tables = tables = KeptTables(artifacts, name)
        self._history, self._evidence, self._latest = (
            HistoryReader(),
            EvidenceReader(),
            LatestReader(),
        )
        self._classes, self._ties = ClassesReader(tables), TiesReader(tables)
        self.courses, self._hours, ledger = CoursesReader(), HoursReader(), Ledger()
        self._lanes, self._happenings = LanesReader(ledger), HappeningsReader(ledger)
        self._knowledge, self._machines = KnowledgeReader(), MachinesReader()

    def read(self, store: StoreReader, snapshot: Snapshot) -> dict[str, Any]:
        """Read what has changed in the database."""
        return {
            "history": self._history.read(store, snapshot),
            "evidence": self._evidence.read(store, snapshot),
            "knowledge": self._knowledge.read(store, snapshot),
            "latest": self._latest.read(store, snapshot),
            "courses": self.courses.read(store, snapshot),
            "hours": self._hours.read(store, snapshot),
            "lanes": self._lanes.read(store, snapshot),
            "machines": self._machines.read(store, snapshot),
            "happenings": self._happenings.read(store, snapshot),
        }

    def read_files(self, store: StoreReader, snapshot: Snapshot) -> dict[str, Any]:
        """Read what trials kept in the artifact store, which may take its time."""
        self._tables.forget_all_but(snapshot.look.ranking)
        return {
            "classes": self._classes.read(store, snapshot),
            "ties": self._ties.read(store, snapshot),
        }


def _away(last: Overview, since: datetime) -> Overview:
    verdict = database_away(last.verdict, since, last.read_at)
    return replace(last, frame=replace(last.frame, verdict=verdict))
