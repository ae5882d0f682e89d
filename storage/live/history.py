"""The history of a study: its best value so far, and a sample of its trials, in a bounded size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.optuna_inside import stored_number
from storage.rows import Direction, Outcome, StudyRow, TrialRow

VALUE = stored_number("v.value", "v.value_type")

# `OFFSET 0`: the values are read first, so that a place in their order costs one sort.
STEPS = text(f"""SELECT number, value, ended_at FROM (
       SELECT number, value, ended_at, rank, min(rank) OVER (
              ORDER BY ended_at, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
         FROM (SELECT t.number, a.ended_at, {VALUE} AS value,
                      CASE WHEN :minimizes THEN 1 ELSE -1 END * {VALUE} AS rank
                 FROM trials t
                 JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
                 JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ends_trial
                WHERE t.study_id = :study AND t.state = 'COMPLETE' AND a.reason = :finished
               OFFSET 0) finished) ranked
 WHERE before IS NULL OR rank < before
 ORDER BY ended_at, number""")

# Each trial is looked up by its number, of which an index finds one at once.
SAMPLE = text(f"""SELECT n.number,
       CASE WHEN a.trial_id IS NULL THEN :elsewhere ELSE a.reason END AS outcome,
       {VALUE} AS value,
       coalesce(a.ended_at, timezone('UTC', t.datetime_complete)) AS ended_at
  FROM generate_series(0, CAST(:newest AS integer), CAST(:stride AS integer)) n (number)
 CROSS JOIN LATERAL (
       SELECT * FROM trials WHERE study_id = :study AND number = n.number
          AND state NOT IN ('RUNNING', 'WAITING') OFFSET 0) t
  LEFT JOIN LATERAL (
       SELECT * FROM trial_values WHERE trial_id = t.trial_id AND objective = 0 LIMIT 1) v ON true
  LEFT JOIN LATERAL (
       SELECT * FROM search_service.attempts
        WHERE trial_id = t.trial_id AND ends_trial LIMIT 1) a ON true
 ORDER BY n.number""")
LARGEST = text("SELECT coalesce(max(number), -1) FROM trials WHERE study_id = :study")


@dataclass(frozen=True, kw_only=True)
class BestStep:
    """A trial that finished here with a better value than every one before it."""

    number: int
    value: float
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class ValueRow:
    """The end of a trial in one number.

    value: that of a finished trial, the last one of a pruned trial; None where there is none.
    """

    number: int
    outcome: Outcome
    value: float | None
    ended_at: datetime


def best_steps(connection: Connection, study: StudyRow) -> list[BestStep]:
    """Read the trials that were the best one when they ended, in the order of their ends."""
    given = {"study": study.study_id, "finished": Outcome.FINISHED}
    rows = connection.execute(STEPS, {**given, "minimizes": study.direction == "minimize"})
    return [BestStep(**row) for row in rows.mappings()]


def add_steps(
    steps: Sequence[BestStep], ended: Iterable[TrialRow], direction: Direction
) -> list[BestStep]:
    """Return the steps after some more trials have ended.

    steps: those so far.
    ended: the trials that have ended since.
    """
    sign = 1 if direction == "minimize" else -1
    new = [
        BestStep(number=trial.number, value=trial.value, ended_at=trial.ended_at)
        for trial in ended
        if trial.outcome == Outcome.FINISHED and trial.value is not None and trial.ended_at
    ]
    best: list[BestStep] = []
    # No end before these can become a step: more trials only take steps away.
    for step in sorted([*steps, *new], key=lambda step: (step.ended_at, step.number)):
        if not best or sign * step.value < sign * best[-1].value:
            best.append(step)
    return best


def values(connection: Connection, study: StudyRow, most: int) -> list[ValueRow]:
    """Read the ends of at most so many trials, at equal distances between their numbers.

    Both statements must see one moment. The distance is a power of two, so that a study that
    grows keeps the trials of its sample, or every other one of them.
    """
    newest: int = connection.execute(LARGEST, {"study": study.study_id}).scalar_one()
    given = {"study": study.study_id, "newest": newest, "stride": stride_of(newest + 1, most)}
    rows = connection.execute(SAMPLE, {**given, "elsewhere": Outcome.ENDED_ELSEWHERE})
    return [ValueRow(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows.mappings()]


def stride_of(count: int, most: int) -> int:
    """Return the least power of two of which at most `most` multiples are below `count`."""
    stride = 1
    while (count - 1) // stride + 1 > most:
        stride *= 2
    return stride


def value_of(trial: TrialRow) -> ValueRow | None:
    """Return the end of a trial in one number; None while it runs."""
    if trial.outcome is None or trial.ended_at is None:
        return None
    last = trial.last.value if trial.last and trial.outcome == Outcome.PRUNED else None
    value = last if trial.value is None else trial.value
    return ValueRow(
        number=trial.number, outcome=trial.outcome, value=value, ended_at=trial.ended_at
    )
