"""The list of studies, a row each."""

from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis import numbers
from dashboards.analysis.listing import StudyLine
from dashboards.analysis.shown_metric import shown_interval, shown_metric
from dashboards.analysis.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Row:
    """A study in a row of the list.

    percent: of its trials that have ended.
    """

    name: str
    fault: str
    is_practice: bool
    about: str
    verdict: Verdict | None
    trials: str
    percent: float
    metric: str
    best: str
    interval: str
    workers: str
    hours: str
    left: str
    newest_at: datetime | None
    test_uses: str


def study_row(line: StudyLine) -> Row:
    """Build the row of a study."""
    return Row(
        name=line.name,
        fault=line.fault,
        is_practice=line.is_practice,
        about=line.about,
        verdict=line.verdict,
        trials=f"{numbers.whole(line.ended)} of {numbers.whole(line.total)}",
        percent=min(100.0, 100 * line.ended / line.total) if line.total else 0.0,
        metric=line.measure,
        best=shown_metric(line.metric, line.best),
        interval=shown_interval(line.metric, line.low, line.high),
        workers=numbers.whole(line.workers) if line.workers else numbers.NONE,
        hours=numbers.hours(line.device_seconds or 0.0) if line.device_seconds else numbers.NONE,
        left=numbers.span(line.remaining_seconds),
        newest_at=line.newest_at,
        test_uses=numbers.counted(line.test_uses, "time") if line.test_uses else "never",
    )
