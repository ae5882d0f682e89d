"""Questions about the ended trials of a study, one statement each, of a cost that stays flat."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, text

from storage.engine.steps import DEADLY
from storage.rows import Outcome
from storage.tables import Words

OF_STUDY = "t.study_id = (SELECT study_id FROM studies WHERE study_name = :study)"

# By the values that Optuna stores: an infinite one as its kind, with no number.
BEST = text(f"""SELECT t.number
  FROM trials t
  JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
  JOIN study_directions d ON d.study_id = t.study_id
  JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ends_trial
 WHERE {OF_STUDY} AND t.state = 'COMPLETE' AND a.reason = :finished
 ORDER BY CASE d.direction WHEN 'MINIMIZE' THEN 1 ELSE -1 END
          * CASE v.value_type WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
            ELSE v.value END, t.number
 LIMIT :most""")

FINAL = text(f"""SELECT t.number FROM trials t
 WHERE {OF_STUDY} AND t.number = ANY(CAST(:numbers AS integer[]))
   AND t.state NOT IN ('RUNNING', 'WAITING')""")

# Since the worker began, and since the last trial that went through its schedule.
SAME_ERRORS = text(f"""WITH ends AS (
    SELECT a.reason, a."where", a.ended_at
      FROM search_service.attempts a JOIN trials t ON t.trial_id = a.trial_id
     WHERE {OF_STUDY} AND a.ends_trial AND a.ended_at >= (
           SELECT w.started_at FROM search_service.workers w WHERE w.worker_id = :worker)
)
SELECT count(*) FROM ends
 WHERE reason = :code_error AND "where" = :where AND ended_at > coalesce(
       (SELECT max(ended_at) FROM ends WHERE reason = :finished), '-infinity')""").bindparams(
    bindparam("where", type_=Words)
)

# A trial that was given up ended by the deaths of its workers, not by their work.
PROGRESS = text("""SELECT EXISTS (
    SELECT FROM search_service.attempts a
     WHERE a.worker_id = :worker AND (a.ends_trial AND a.reason <> ALL(:deadly) OR EXISTS (
           SELECT FROM search_service.epochs e
            WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt)))""")


def best(connection: Connection, study: str, most: int) -> list[int]:
    """Read the numbers of the best trials that finished here; among equals the earlier first."""
    given = {"study": study, "most": most, "finished": Outcome.FINISHED}
    return list(connection.scalars(BEST, given))


def final_among(connection: Connection, study: str, numbers: Iterable[int]) -> set[int]:
    """Read which of these trials have ended."""
    return set(connection.scalars(FINAL, {"study": study, "numbers": list(numbers)}))


def count_same_errors(connection: Connection, study: str, worker: str, where: str) -> int:
    """Count the code errors at one place since the worker began and a trial last finished.

    where: the type, file and line of the exception.
    """
    given = {"study": study, "worker": worker, "where": where}
    outcomes = {"code_error": Outcome.CODE_ERROR, "finished": Outcome.FINISHED}
    count: int = connection.execute(SAME_ERRORS, given | outcomes).scalar_one()
    return count


def has_progressed(connection: Connection, worker: str) -> bool:
    """Say whether a worker recorded an epoch or told the end of a trial."""
    return bool(connection.scalar(PROGRESS, {"worker": worker, "deadly": list(DEADLY)}))
