"""The attempts at one trial: where and when each was made, and how it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.analysis import numbers
from dashboards.analysis.attempts.lanes import How, how
from dashboards.analysis.attempts.ledger import slot_of
from dashboards.analysis.wording import slot_name
from dashboards.marks.scale import Scale
from storage.rows import AttemptRow, TrialRow

SHAPES = {
    How.RUNNING: "running",
    How.FINISHED: "finished",
    How.PRUNED: "pruned",
    How.FAILED: "failed",
    How.KILLED: "killed",
    How.HANDED_BACK: "resumed",
    How.SILENT: "warn",
}
LEAST_WIDTH = 0.8  # percent


@dataclass(frozen=True, kw_only=True)
class AttemptLine:
    """One attempt; x and width: its time, in percent of the trial's.

    replaced: how many of its epochs a later attempt replaced.
    tone: the class of its colour.
    """

    attempt: int
    place: str
    worker: str
    began_at: datetime
    took: str
    epochs: int
    replaced: int
    how: str
    shape: str
    reason: str
    x: float
    width: float
    tone: str


@dataclass(frozen=True)
class Attempts:
    """The attempts at a trial, in order; note: what they add up to."""

    lines: Sequence[AttemptLine]
    note: str = ""


def draw_attempts(rows: Sequence[AttemptRow], trial: TrialRow, now: datetime) -> Attempts:
    """Build what is shown of a trial's attempts."""
    if not rows:
        return Attempts((), _without(trial))
    ends = [_end(row, trial, now) for row in rows]
    begin = min(row.started_at for row in rows)
    scale = Scale(low=0.0, high=max((end - begin).total_seconds() for end in ends) or 1.0)
    lines = list(_lines(rows, ends, trial, scale))
    again = f"{numbers.counted(len(rows) - 1, 'time')} begun again" if len(rows) > 1 else ""
    return Attempts(lines, again)


def _lines(
    rows: Sequence[AttemptRow], ends: Sequence[datetime], trial: TrialRow, scale: Scale
) -> Iterator[AttemptLine]:
    begin = min(row.started_at for row in rows)
    for row, end in zip(rows, ends, strict=True):
        way = How.SILENT if row.ended_at is None and not trial.is_leased else how(row)
        x = scale((row.started_at - begin).total_seconds())
        width = max(LEAST_WIDTH, scale((end - begin).total_seconds()) - x)
        yield AttemptLine(
            attempt=row.attempt,
            place=slot_name(slot_of(row)),
            worker=row.worker,
            began_at=row.started_at,
            took=numbers.span((end - row.started_at).total_seconds()),
            epochs=row.epochs,
            replaced=row.replaced,
            how=str(way),
            shape=SHAPES[way],
            reason=_reason(row, way),
            x=round(min(x, 100 - LEAST_WIDTH), 2),
            width=round(width, 2),
            tone=way.replace(" ", "-"),
        )


def _end(row: AttemptRow, trial: TrialRow, now: datetime) -> datetime:
    """Return the end of an attempt; of one whose worker fell silent its last beat."""
    if row.ended_at is not None:
        return row.ended_at
    return max(row.started_at, now) if trial.is_leased else row.beat_at


def _reason(row: AttemptRow, way: How) -> str:
    if way is How.SILENT:
        return "its worker sends no beat"
    reason = str(row.reason or "").replace("_", " ")
    return ": ".join(filter(None, [reason if reason != way else "", row.detail or ""]))


def _without(trial: TrialRow) -> str:
    if trial.state == "WAITING":
        return "No worker has taken it yet."
    return "No worker of search tried it: another program added it."
