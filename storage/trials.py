"""Trials with their values, newest attempt, last and best epoch: one statement for any of them."""

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text

from storage.engine.frozen import external, read_distribution
from storage.engine.results import decoded
from storage.optuna_inside import stored_number
from storage.rows import UNTOLD, Drawing, EpochRow, Outcome, StudyRow, TrialRow, Way

VALUE = stored_number("v.value", "v.value_type")
ENDED = "t.state NOT IN ('RUNNING', 'WAITING')"
EPOCH = ("epoch", "attempt", "value", "metrics", "seconds", "images", "recorded_at")
PAGE = 200  # trials that are read at a time
# The columns that a TrialRow has as they are read.
PLAIN = (
    "number",
    "trial_id",
    "state",
    "detail",
    "where",
    "value",
    "worker",
    "is_leased",
    "started_at",
    "ended_at",
)

# A trial's own end counts where a person ended it in the dashboard: its attempt ends later, when
# its worker notices.
ROWS = """SELECT t.trial_id, t.number, CAST(t.state AS text) AS state,
       CASE WHEN t.state = 'COMPLETE' THEN {value} END AS value,
       p.names, p.params, p.distributions,
       a.attempt, a.worker_id AS worker, a.detail, a."where",
       CASE WHEN {ended} THEN CASE WHEN a.ends_trial THEN a.reason ELSE :elsewhere END
        END AS outcome,
       t.state = 'RUNNING' AND coalesce(a.is_live, false) AS is_leased,
       coalesce((SELECT min(started_at) FROM search_service.attempts WHERE trial_id = t.trial_id),
                timezone('UTC', t.datetime_start)) AS started_at,
       CASE WHEN {ended} THEN CASE WHEN a.ends_trial THEN a.ended_at
            ELSE timezone('UTC', t.datetime_complete) END END AS ended_at,
       (SELECT value_json FROM trial_user_attributes
         WHERE trial_id = t.trial_id AND key = 'badges') AS badges,
       d.way, d.why, {last}, {best}
  FROM ({these}) t
  LEFT JOIN search_service.draws d ON d.trial_id = t.trial_id
  LEFT JOIN LATERAL (
       SELECT * FROM trial_values WHERE trial_id = t.trial_id AND objective = 0 LIMIT 1) v ON true
  LEFT JOIN LATERAL (
       SELECT a.*, search_service.is_live(a) AS is_live FROM search_service.attempts a
        WHERE a.trial_id = t.trial_id ORDER BY a.attempt DESC LIMIT 1) a ON true
 CROSS JOIN LATERAL (
       SELECT array_agg(CAST(param_name AS text) ORDER BY param_id) AS names,
              array_agg(param_value ORDER BY param_id) AS params,
              array_agg(distribution_json ORDER BY param_id) AS distributions
         FROM trial_params WHERE trial_id = t.trial_id) p
  LEFT JOIN LATERAL (
       SELECT * FROM search_service.epochs e WHERE e.trial_id = t.trial_id
        ORDER BY epoch DESC LIMIT 1) last ON true
  LEFT JOIN LATERAL (
       SELECT * FROM search_service.epochs e WHERE e.trial_id = t.trial_id
        ORDER BY value = 'NaN', CASE WHEN :minimizes THEN value ELSE -value END, epoch LIMIT 1
       ) best ON true
 ORDER BY t.number"""

# The trials of a study that are read.
OF_STUDY = "SELECT * FROM trials WHERE study_id = :study"
NUMBERED = OF_STUDY + " AND number = ANY(CAST(:numbers AS integer[]))"
AFTER = OF_STUDY + " AND number > :after ORDER BY number LIMIT :most"
# The queue fills what the trials that have begun leave free, its first one first.
NEWEST = f"""SELECT * FROM (
       (SELECT *, 0 AS place, -number AS turn FROM ({OF_STUDY} AND state <> 'WAITING'
         ORDER BY number DESC LIMIT :most) begun)
        UNION ALL
       (SELECT *, 1, number FROM ({OF_STUDY} AND state = 'WAITING'
         ORDER BY number LIMIT :most) queued)
       ) found ORDER BY place, turn LIMIT :most"""

# At equal distances, the first and the last one among them.
SAMPLED_EPOCHS = text("""SELECT t.number, e.* FROM trials t
 CROSS JOIN LATERAL (
       SELECT CAST(max(epoch) AS bigint) AS epochs FROM search_service.epochs
        WHERE trial_id = t.trial_id) l
 CROSS JOIN LATERAL (
       SELECT * FROM search_service.epochs
        WHERE trial_id = t.trial_id
          AND (l.epochs <= :most OR epoch = 1
               OR epoch * (:most - 1) / l.epochs > (epoch - 1) * (:most - 1) / l.epochs)
       OFFSET 0) e
 WHERE t.study_id = :study AND t.number = ANY(CAST(:numbers AS integer[]))
 ORDER BY t.number, e.epoch""")

LATEST = text("""SELECT t.number FROM trials t
  LEFT JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ends_trial
 WHERE t.study_id = :study AND t.state NOT IN ('RUNNING', 'WAITING')
   AND coalesce(a.reason, :elsewhere) = ANY(CAST(:outcomes AS text[]))
 ORDER BY t.number DESC LIMIT :most""")
EPOCHS = text("""SELECT t.number, e.* FROM search_service.epochs e
  JOIN trials t ON t.trial_id = e.trial_id
 WHERE t.study_id = :study AND t.number = ANY(CAST(:numbers AS integer[]))
 ORDER BY t.number, e.epoch""")
ALL_EPOCHS = text("""SELECT t.number, e.* FROM search_service.epochs e
  JOIN trials t ON t.trial_id = e.trial_id
 WHERE t.study_id = :study ORDER BY t.number, e.epoch""")

REPLACED = text("""SELECT t.number, e.* FROM search_service.replaced_epochs e
  JOIN trials t ON t.trial_id = e.trial_id
 WHERE t.study_id = :study AND t.number = :number ORDER BY e.attempt, e.epoch""")

NEWER_EPOCHS = text("""SELECT t.number, e.*
  FROM unnest(CAST(:numbers AS integer[]), CAST(:epochs AS integer[])) AS known (number, epoch)
  JOIN trials t ON t.study_id = :study AND t.number = known.number
 CROSS JOIN LATERAL (
       SELECT * FROM search_service.epochs
        WHERE trial_id = t.trial_id AND epoch > known.epoch OFFSET 0) e
 ORDER BY t.number, e.epoch""")


def every(connection: Connection, study: StudyRow) -> list[TrialRow]:
    """Read every trial of a study, in the order of their numbers."""
    return _rows(connection, study, OF_STUDY)


def numbered(
    connection: Connection, study: StudyRow, numbers: Collection[int]
) -> dict[int, TrialRow]:
    """Read the trials of these numbers; those that are not there are left out."""
    if not numbers:
        return {}
    rows = _rows(connection, study, NUMBERED, numbers=list(numbers))
    return {row.number: row for row in rows}


def newest(connection: Connection, study: StudyRow, most: int) -> list[TrialRow]:
    """Read the newest trials, those that have begun before those of the queue, by their numbers."""
    return _rows(connection, study, NEWEST, most=most)


def latest(
    connection: Connection, study: StudyRow, outcomes: Collection[Outcome], most: int
) -> list[TrialRow]:
    """Read the newest trials that ended in one of these ways, the newest first."""
    given = {"study": study.study_id, "elsewhere": Outcome.ENDED_ELSEWHERE, "most": most}
    numbers = connection.scalars(LATEST, {**given, "outcomes": list(outcomes)}).all()
    rows = numbered(connection, study, numbers)
    return [rows[number] for number in numbers]


def page(connection: Connection, study: StudyRow, after: int) -> list[TrialRow]:
    """Read the next trials after a number, -1 for the first ones; none after the last one."""
    return _rows(connection, study, AFTER, after=after, most=PAGE)


def sampled_epochs(
    connection: Connection, study: StudyRow, numbers: Collection[int], most: int
) -> list[EpochRow]:
    """Read at most so many epochs of each trial, in order; its first and last among them."""
    given = {"study": study.study_id, "numbers": list(numbers), "most": most}
    return [_epoch(row) for row in connection.execute(SAMPLED_EPOCHS, given).mappings()]


def epochs_of(
    connection: Connection, study: StudyRow, numbers: Collection[int] | None
) -> list[EpochRow]:
    """Read the recorded epochs of some trials, or of all for None, in order."""
    statement = ALL_EPOCHS if numbers is None else EPOCHS
    given = {"study": study.study_id, "numbers": list(numbers or ())}
    return [_epoch(row) for row in connection.execute(statement, given).mappings()]


def replaced_epochs(connection: Connection, study: StudyRow, number: int) -> list[EpochRow]:
    """Read the epochs of a trial that later attempts replaced, by attempt and epoch."""
    given = {"study": study.study_id, "number": number}
    return [_epoch(row) for row in connection.execute(REPLACED, given).mappings()]


def epochs_after(
    connection: Connection, study: StudyRow, known: Mapping[int, int]
) -> list[EpochRow]:
    """Read the recorded epochs of some trials beyond the known ones, in order.

    known: by a trial's number, its last known epoch; 0 for none.
    """
    given = {"study": study.study_id, "numbers": list(known), "epochs": list(known.values())}
    return [_epoch(row) for row in connection.execute(NEWER_EPOCHS, given).mappings()]


def _rows(connection: Connection, study: StudyRow, these: str, **given: object) -> list[TrialRow]:
    known = {"study": study.study_id, "elsewhere": Outcome.ENDED_ELSEWHERE}
    minimizes = study.direction == "minimize"
    rows = connection.execute(_statement(these), {**known, **given, "minimizes": minimizes})
    return [_trial(row) for row in rows.mappings()]


@lru_cache
def _statement(these: str) -> TextClause:
    last, best = (
        ", ".join(f"{which}.{name} AS {which}_{name}" for name in EPOCH)
        for which in ("last", "best")
    )
    return text(ROWS.format(these=these, ended=ENDED, value=VALUE, last=last, best=best))


def _trial(row: RowMapping) -> TrialRow:
    outcome = Outcome(row["outcome"]) if row["outcome"] else None
    is_told = outcome is not None and outcome not in UNTOLD
    return TrialRow(
        **{name: row[name] for name in PLAIN},
        outcome=outcome,
        params=_params(row),
        attempts=row["attempt"] or 0,
        last=_epoch_beside(row, "last"),
        best=_epoch_beside(row, "best"),
        badges=json.loads(row["badges"] or '""') if is_told else None,
        drawing=Drawing(Way(row["way"]), row["why"] or {}) if row["way"] else None,
    )


def _params(row: RowMapping) -> dict[str, Any]:
    drawn = zip(row["names"] or (), row["params"] or (), row["distributions"] or (), strict=True)
    return {
        name: external(read_distribution(distribution), value)
        for name, value, distribution in drawn
    }


def _epoch_beside(row: RowMapping, which: str) -> EpochRow | None:
    if row[f"{which}_epoch"] is None:
        return None
    return _epoch({name: row[f"{which}_{name}"] for name in EPOCH} | {"number": row["number"]})


def _epoch(row: Mapping[Any, Any]) -> EpochRow:
    numbers = {name: row[name] for name in ("number", *EPOCH)}
    return EpochRow(**numbers | {"metrics": decoded(row["metrics"])})
