"""The attempts at a study's trials: the ledger of worker time."""

from sqlalchemy import Connection, text

from storage.rows import AttemptRow, HandBackReason, Outcome, StudyRow

# A trial that a person failed in the dashboard is over before its worker notices.
LEDGER = text("""WITH ledger AS (
    SELECT t.number, a.trial_id, a.attempt, a.worker_id AS worker, w.host, w.device, w.threads,
           w.machine, a.started_at, a.ended_at, a.reason, a.detail,
           CASE WHEN t.state NOT IN ('RUNNING', 'WAITING')
                THEN timezone('UTC', t.datetime_complete) END AS trial_ended_at,
           (SELECT count(*) FROM search_service.epochs e
             WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt) AS epochs
      FROM search_service.attempts a
      JOIN trials t ON t.trial_id = a.trial_id
      JOIN search_service.workers w ON w.worker_id = a.worker_id
     WHERE t.study_id = :study AND t.number = coalesce(:number, t.number)
)
SELECT number, trial_id, attempt, worker, host, device, threads, machine, started_at, detail,
       epochs, coalesce(ended_at, trial_ended_at) AS ended_at,
       coalesce(reason, CASE WHEN trial_ended_at IS NOT NULL THEN :elsewhere END) AS reason
  FROM ledger ORDER BY number, attempt""")

UNLINKED = text("""SELECT a.trial_id, a.attempt FROM search_service.attempts a
  JOIN trials t ON t.trial_id = a.trial_id
 WHERE t.study_id = :study AND (a.reason IS NULL OR a.reason = ANY(:handed_back))""")


def every(connection: Connection, study: StudyRow, number: int | None) -> list[AttemptRow]:
    """Read the attempts at one trial, or at all, in order."""
    given = {"study": study.study_id, "number": number, "elsewhere": Outcome.ENDED_ELSEWHERE}
    rows = connection.execute(LEDGER, given).mappings()
    return [AttemptRow(**{**row, "reason": _reason(row["reason"])}) for row in rows]


def without_links(connection: Connection, study: StudyRow) -> list[tuple[int, int]]:
    """Read the trial's id and the number of each attempt that told no end and linked no file."""
    given = {"study": study.study_id, "handed_back": list(HandBackReason)}
    return [(row.trial_id, row.attempt) for row in connection.execute(UNLINKED, given)]


def _reason(stored: str | None) -> Outcome | HandBackReason | None:
    if stored is None:
        return None
    return HandBackReason(stored) if stored in list(HandBackReason) else Outcome(stored)
