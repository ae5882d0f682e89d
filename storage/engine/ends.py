"""Questions about the ended trials of a study and of a worker, one statement each."""

from sqlalchemy import Connection, bindparam, text

from storage.engine.steps import DEADLY
from storage.rows import Outcome
from storage.tables import Words

OF_STUDY = "t.study_id = (SELECT study_id FROM studies WHERE study_name = :study)"

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
            WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt
           UNION ALL
           SELECT FROM search_service.replaced_epochs e
            WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt)))""")


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
