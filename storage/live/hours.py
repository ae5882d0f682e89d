"""Where the time of a study's workers went, in sums that go on from an earlier reading."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from storage import studies
from storage.engine.identity import OF_STUDY

# In seconds, the numbers of search_views.gpu_hours: both are sums over the same view.
SUMS = text("""SELECT CASE WHEN fate IN ('finished', 'pruned') THEN fate
            WHEN fate IN ('running', 'waiting') THEN 'running' ELSE 'failed' END AS kind,
       is_settled, sum(kept) AS kept, sum(lost) AS lost, sum(saved) AS saved,
       array_agg(number) FILTER (WHERE NOT is_settled) AS numbers
  FROM search_service.trial_time
 WHERE study_id = :study AND (number > :after AND number <= :until
                              OR number = ANY(CAST(:open AS integer[])))
 GROUP BY 1, 2""")
LARGEST = text("SELECT coalesce(max(number), -1) FROM trials WHERE study_id = :study")
AT_ONCE = 10_000  # new trials in one statement, which the server would end after 5 s
SECONDS = ("finished", "pruned", "failed", "running", "lost", "saved")


@dataclass(frozen=True, kw_only=True)
class GpuSeconds:
    """Seconds of a study's attempts by what became of them, as search_views.gpu_hours has hours.

    The first five add up to all attempts, each of which has one device, which may be a CPU.

    finished: in trials that went through their schedule.
    pruned: in trials that the pruner stopped.
    failed: in trials that ended in any other way.
    running: in trials that have not ended, up to the reading.
    lost: of attempts, after their last epoch where another attempt followed, and of such an
        attempt before its first new epoch.
    saved: that pruned trials would have taken to the end of their schedules, at the mean speed of
        their epochs; in none of the others.
    """

    finished: float = 0.0
    pruned: float = 0.0
    failed: float = 0.0
    running: float = 0.0
    lost: float = 0.0
    saved: float = 0.0

    @property
    def total(self) -> float:
        """All seconds of all attempts."""
        return self.finished + self.pruned + self.failed + self.running + self.lost


@dataclass(frozen=True, kw_only=True)
class GpuTally:
    """The sums at one moment, and what a later one goes on from.

    identity: of the study (storage/engine/identity.py).
    settled: the sums over the trials that cannot change any more.
    open: the numbers of the others.
    newest: the largest number of all.
    """

    seconds: GpuSeconds = GpuSeconds()
    identity: str = ""
    settled: Mapping[str, float] = field(default_factory=dict)
    open: Set[int] = frozenset()
    newest: int = -1


def gpu_seconds(connection: Connection, name: str, before: GpuTally | None) -> GpuTally:
    """Add up where the time went, at one moment, which all statements must see.

    before: an earlier tally, from which this one goes on; one of another identity is not used.
    """
    study = studies.one(connection, name)
    identity: str = connection.execute(OF_STUDY, {"study": study.study_id}).one().identity
    if before is None or before.identity != identity:
        before = GpuTally()
    settled, others = dict(before.settled), dict.fromkeys(SECONDS, 0.0)
    unsettled: set[int] = set()
    newest: int = connection.execute(LARGEST, {"study": study.study_id}).scalar_one()
    for row in _sums(connection, study.study_id, before, newest):
        sums = settled if row.is_settled else others
        for kind, seconds in ((row.kind, row.kept), ("lost", row.lost), ("saved", row.saved)):
            sums[kind] = sums.get(kind, 0.0) + seconds
        if not row.is_settled:
            unsettled.update(row.numbers)
    return GpuTally(
        seconds=GpuSeconds(**{kind: settled.get(kind, 0.0) + others[kind] for kind in SECONDS}),
        identity=identity,
        settled=settled,
        open=frozenset(unsettled),
        newest=newest,
    )


def _sums(
    connection: Connection, study_id: int, before: GpuTally, newest: int
) -> Iterator[Row[Any]]:
    """Yield the sums over the trials that may have changed, of many new ones in portions."""
    asked = list(before.open)
    for after in range(before.newest, max(newest, before.newest + 1), AT_ONCE):
        given = {"study": study_id, "after": after, "until": after + AT_ONCE, "open": asked}
        yield from connection.execute(SUMS, given)
        asked = []
