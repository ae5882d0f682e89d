"""Where the time of a study's workers went, in sums that go on from an earlier reading."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from storage import studies
from storage.engine.identity import OF_STUDY

# In seconds, the numbers of search_views.gpu_hours: both are sums over the same view.
SUMS = text("""SELECT CASE WHEN fate IN ('finished', 'pruned') THEN fate
            WHEN fate IN ('running', 'waiting') THEN 'running' ELSE 'failed' END AS kind,
       is_settled, sum(kept) AS kept, sum(lost) AS lost, sum(saved) AS saved,
       max(number) AS newest, array_agg(number) AS numbers
  FROM search_service.trial_time
 WHERE study_id = :study AND (number > :newest OR number = ANY(CAST(:open AS integer[])))
 GROUP BY 1, 2""")
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
    """Add up where the time went, at one moment, which both statements must see.

    before: an earlier tally, from which this one goes on; one of another identity is not used.
    """
    study = studies.one(connection, name)
    identity: str = connection.execute(OF_STUDY, {"study": study.study_id}).one().identity
    if before is None or before.identity != identity:
        before = GpuTally()
    given = {"study": study.study_id, "newest": before.newest, "open": list(before.open)}
    settled, others = dict(before.settled), dict.fromkeys(SECONDS, 0.0)
    unsettled: set[int] = set()
    newest = before.newest
    for row in connection.execute(SUMS, given):
        newest = max(newest, row.newest)
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
