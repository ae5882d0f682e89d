"""The ended trials of a study, asked about in statements whose cost stays flat."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from storage.rows import Outcome, StudyRow

# By the values that Optuna stores: an infinite one as its kind, with no number.
BEST = """SELECT t.number
  FROM trials t JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
 WHERE t.study_id = :study AND t.state = 'COMPLETE'
 ORDER BY CASE v.value_type WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity'
          ELSE v.value END {order}, t.number LIMIT :most"""
LOWEST, HIGHEST = text(BEST.format(order="ASC")), text(BEST.format(order="DESC"))

FINAL = text("""SELECT number FROM trials
 WHERE study_id = :study AND number = ANY(CAST(:numbers AS integer[]))
   AND state NOT IN ('RUNNING', 'WAITING')""")

# Since the worker began, and since the last trial that went through its schedule.
SAME_ERRORS = text("""WITH ends AS (
    SELECT a.reason, a."where", a.ended_at
      FROM search_service.attempts a JOIN trials t ON t.trial_id = a.trial_id
     WHERE t.study_id = :study AND a.ends_trial AND a.ended_at >= (
           SELECT w.started_at FROM search_service.workers w WHERE w.worker_id = :worker)
)
SELECT count(*) FROM ends
 WHERE reason = :code_error AND "where" = :where AND ended_at > coalesce(
       (SELECT max(ended_at) FROM ends WHERE reason = :finished), '-infinity')""")

PROGRESS = text("""SELECT EXISTS (
    SELECT FROM search_service.attempts a
     WHERE a.worker_id = :worker AND (a.ends_trial OR EXISTS (
           SELECT FROM search_service.epochs e
            WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt)))""")


def best(connection: Connection, study: StudyRow, most: int) -> list[int]:
    """Read the numbers of the best complete trials, best first; among equals the earlier first."""
    ranked = LOWEST if study.direction == "minimize" else HIGHEST
    return list(connection.scalars(ranked, {"study": study.study_id, "most": most}))


def final_among(connection: Connection, study: StudyRow, numbers: Iterable[int]) -> set[int]:
    """Read which of these trials have ended."""
    given = {"study": study.study_id, "numbers": list(numbers)}
    return set(connection.scalars(FINAL, given))


def count_same_errors(connection: Connection, study: StudyRow, worker: str, where: str) -> int:
    """Count the code errors at one place since the worker began and a trial last finished.

    where: the type, file and line of the exception.
    """
    given = {"study": study.study_id, "worker": worker, "where": where}
    outcomes = {"code_error": Outcome.CODE_ERROR, "finished": Outcome.FINISHED}
    count: int = connection.execute(SAME_ERRORS, given | outcomes).scalar_one()
    return count


def has_progressed(connection: Connection, worker: str) -> bool:
    """Say whether a worker recorded an epoch or ended a trial."""
    return bool(connection.scalar(PROGRESS, {"worker": worker}))
