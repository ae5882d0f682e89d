"""A study at one moment, in sums and a few rows.

A first look adds up the whole study, in SQL. A later one reads the trials that are new, that run
and that have ended since, and adds these to the sums: an ended trial never changes again. So its
cost does not grow with the study.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, Row, text

from storage import split_uses, studies, trials, workers
from storage.engine.identity import OF_STUDY
from storage.optuna_inside import stored_number
from storage.rows import Direction, Outcome, StudyRow, TrialRow, WorkerRow
from storage.split_uses import UseRow

RANKED = 20  # of the best trials

COUNTS = text("""SELECT coalesce(max(number) + 1, 0) AS total,
       (SELECT count(*) FROM trials WHERE study_id = :study AND state = 'WAITING') AS waiting,
       (SELECT count(*) FROM trials WHERE study_id = :study AND state = 'RUNNING') AS running
  FROM trials WHERE study_id = :study""")

OPEN = text("""SELECT number, CAST(state AS text) AS state FROM trials
 WHERE study_id = :study AND state IN ('RUNNING', 'WAITING')""")

ENDINGS = text("""SELECT CASE WHEN a.trial_id IS NULL THEN :elsewhere ELSE a.reason END AS outcome,
       count(*) AS trials, min(t.number) AS first
  FROM trials t
  LEFT JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ends_trial
 WHERE t.study_id = :study AND t.state NOT IN ('RUNNING', 'WAITING')
 GROUP BY 1""")

# The newest trials that have ended stand for all: the time that one takes.
PACE = text("""SELECT count(e.trial_id) AS trials, coalesce(sum(e.epoch * e.seconds), 0) AS seconds
  FROM (SELECT trial_id FROM trials
         WHERE study_id = :study AND state NOT IN ('RUNNING', 'WAITING')
         ORDER BY number DESC LIMIT 200) t
  JOIN LATERAL (
       SELECT * FROM search_service.epochs e WHERE e.trial_id = t.trial_id
        ORDER BY epoch DESC LIMIT 1) e ON true""")

BEST = text(f"""SELECT t.number
  FROM trials t
  JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
  JOIN study_directions d ON d.study_id = t.study_id
  JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ends_trial
 WHERE t.study_id = :study AND t.state = 'COMPLETE' AND a.reason = :finished
 ORDER BY CASE d.direction WHEN 'MINIMIZE' THEN 1 ELSE -1 END
          * {stored_number("v.value", "v.value_type")}, t.number
 LIMIT :most""")

# New trials, running ones, and those of `open` that have ended; with what changes as a trial runs.
CHANGES = text("""WITH changed AS (
    SELECT trial_id, number, state FROM trials
     WHERE study_id = :study AND number > :newest
     UNION ALL
    SELECT trial_id, number, state FROM trials
     WHERE study_id = :study AND number <= :newest AND state = 'RUNNING'
     UNION ALL
    SELECT trial_id, number, state FROM trials
     WHERE study_id = :study AND number = ANY(CAST(:open AS integer[]))
       AND state NOT IN ('RUNNING', 'WAITING')
)
SELECT number, CAST(state AS text) AS state, coalesce(a.attempt, 0) AS attempts,
       coalesce(a.is_live, false) AS is_leased, e.epoch, e.attempt AS recorder
  FROM changed t
  LEFT JOIN LATERAL (
       SELECT a.attempt, search_service.is_live(a) AS is_live FROM search_service.attempts a
        WHERE a.trial_id = t.trial_id ORDER BY a.attempt DESC LIMIT 1) a ON true
  LEFT JOIN LATERAL (
       SELECT epoch, attempt FROM search_service.epochs WHERE trial_id = t.trial_id
        ORDER BY epoch DESC LIMIT 1) e ON true""")


@dataclass(frozen=True)
class TrialCounts:
    """How many trials a study has."""

    total: int
    waiting: int  # in the queue
    running: int  # begun and not ended, whether a worker has them now or not

    @property
    def begun(self) -> int:
        """All but those of the queue."""
        return self.total - self.waiting

    @property
    def ended(self) -> int:
        """Those that have ended, in any way."""
        return self.total - self.waiting - self.running


@dataclass(frozen=True, kw_only=True)
class Look:
    """A study at one moment, in sums and a few rows, whatever its size.

    read_at: the moment of the look, by the database's clock; None for one that no database gave.
    identity: of the study (storage/engine/identity.py); another one after a restored database.
    waiting: the numbers of the queued trials.
    ended: the trials that have ended since the look before; () in a first look.
    outcomes, firsts: how many trials ended by each outcome, and the first of them.
    ranking: the best trials of those that finished here, best first.
    newest: the newest trials, those that have begun before those of the queue, by number.
    timed_trials: how many ended trials are in `trained_seconds`: the newest ones with an epoch at
        the first look, and every one since.
    trained_seconds: how long these were trained, the time between their attempts left out.
    workers: those whose end is not recorded, oldest first.
    test_uses: every use of the test split, oldest first.
    """

    study: StudyRow
    counts: TrialCounts
    read_at: datetime | None = None
    identity: str = ""
    waiting: Set[int] = frozenset()
    running: Sequence[TrialRow] = ()
    ended: Sequence[TrialRow] = ()
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    firsts: Mapping[Outcome, TrialRow] = field(default_factory=dict)
    ranking: Sequence[TrialRow] = ()
    newest: Sequence[TrialRow] = ()
    timed_trials: int = 0
    trained_seconds: float = 0.0
    workers: Sequence[WorkerRow] = ()
    test_uses: Sequence[UseRow] = ()


def count(connection: Connection, study: StudyRow) -> TrialCounts:
    """Count a study's trials by state."""
    row = connection.execute(COUNTS, {"study": study.study_id}).mappings().one()
    return TrialCounts(**row)


def look(connection: Connection, name: str, before: Look | None, newest: int) -> Look:
    """Read a study at one moment, which all statements of the connection must see.

    before: an earlier look; one at a study of another identity is not gone on from.
    newest: how many of the newest trials to read.
    """
    study = studies.one(connection, name)
    row = connection.execute(OF_STUDY, {"study": study.study_id}).one()
    is_same = before is not None and before.identity == row.identity
    now = _later(connection, study, before) if before and is_same else _first(connection, study)
    return replace(
        now,
        read_at=row.read_at,
        identity=row.identity,
        newest=_newest(connection, now, before if is_same else None, newest),
        workers=workers.every(connection, study, at_work=True),
        test_uses=split_uses.every(connection, study),
    )


def best(connection: Connection, study: StudyRow, most: int) -> list[int]:
    """Read the numbers of the best trials that finished here; among equals the earlier first."""
    given = {"study": study.study_id, "most": most, "finished": Outcome.FINISHED}
    return list(connection.scalars(BEST, given))


def _first(connection: Connection, study: StudyRow) -> Look:
    this = {"study": study.study_id}
    ended = connection.execute(ENDINGS, {**this, "elsewhere": Outcome.ENDED_ELSEWHERE}).all()
    pace = connection.execute(PACE, this).one()
    states = {row.number: row.state for row in connection.execute(OPEN, this)}
    running = [number for number, state in states.items() if state == "RUNNING"]
    ranked = best(connection, study, RANKED)
    firsts = {Outcome(row.outcome): row.first for row in ended}
    rows = trials.numbered(connection, study, {*running, *ranked, *firsts.values()})
    return Look(
        study=study,
        counts=count(connection, study),
        waiting=states.keys() - running,
        running=[rows[number] for number in sorted(running)],
        outcomes={Outcome(row.outcome): row.trials for row in ended},
        firsts={outcome: rows[number] for outcome, number in firsts.items()},
        ranking=[rows[number] for number in ranked],
        timed_trials=pace.trials,
        trained_seconds=pace.seconds,
    )


def _later(connection: Connection, study: StudyRow, before: Look) -> Look:
    newest = before.counts.total - 1
    was_open = before.waiting | {trial.number for trial in before.running}
    given = {"study": study.study_id, "newest": newest, "open": list(was_open)}
    changes = {row.number: row for row in connection.execute(CHANGES, given)}
    queued = {number for number, row in changes.items() if row.state == "WAITING"}
    same = {each.number: each for each in before.running if _is_same(each, changes[each.number])}
    rows = trials.numbered(connection, study, changes.keys() - queued - same.keys())
    ended = [row for row in rows.values() if row.state != "RUNNING"]
    running = [row for row in [*same.values(), *rows.values()] if row.state == "RUNNING"]
    waiting = (before.waiting | queued) - rows.keys()
    total = max(newest, *changes) + 1 if changes else newest + 1
    return replace(
        add_ended(before, ended),
        study=study,
        counts=TrialCounts(total=total, waiting=len(waiting), running=len(running)),
        waiting=waiting,
        running=sorted(running, key=attrgetter("number")),
    )


def _newest(
    connection: Connection, now: Look, before: Look | None, most: int
) -> Sequence[TrialRow]:
    """Read the newest trials, unless none has begun, ended or been queued since a look before."""
    is_whole = before is not None and 0 < len(before.newest) == min(most, now.counts.total)
    if before and is_whole and _has_same_trials(before, now):
        ran = {trial.number: trial for trial in now.running}
        return [ran.get(trial.number, trial) for trial in before.newest]
    return trials.newest(connection, now.study, most) if most else ()


def _has_same_trials(before: Look, now: Look) -> bool:
    return not now.ended and (before.counts, before.waiting) == (now.counts, now.waiting)


def _is_same(trial: TrialRow, now: Row[Any]) -> bool:
    """Say whether a trial that ran, and whose values are known, has nothing new to be read."""
    # A curve with the same last row is the same one: what replaces an epoch replaces all behind it.
    last = (trial.last.epoch, trial.last.attempt) if trial.last else (None, None)
    before = ("RUNNING", trial.attempts, trial.is_leased, *last)
    newest = (now.state, now.attempts, now.is_leased, now.epoch, now.recorder)
    return bool(trial.params) and before == newest


def add_ended(before: Look, ended: Sequence[TrialRow]) -> Look:
    """Add the trials that have ended since a look to its sums."""
    outcomes, firsts = dict(before.outcomes), dict(before.firsts)
    for trial in ended:
        outcome = trial.outcome or Outcome.ENDED_ELSEWHERE
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if outcome not in firsts or trial.number < firsts[outcome].number:
            firsts[outcome] = trial
    timed = [trial.last for trial in ended if trial.last]
    ranking = _ranked([*before.ranking, *ended], before.study.direction)
    return replace(
        before,
        ended=ended,
        outcomes=outcomes,
        firsts=firsts,
        ranking=ranking[:RANKED],
        timed_trials=before.timed_trials + len(timed),
        trained_seconds=before.trained_seconds + sum(row.epoch * row.seconds for row in timed),
    )


def _ranked(rows: Sequence[TrialRow], direction: Direction) -> list[TrialRow]:
    """Sort the trials that finished here, best first; among equals the earlier one first."""
    sign = 1 if direction == "minimize" else -1
    valued = [
        (sign * row.value, row.number, row)
        for row in rows
        if row.outcome == Outcome.FINISHED and row.value is not None
    ]
    return [row for *_, row in sorted(valued, key=itemgetter(0, 1))]
