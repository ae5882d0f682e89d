"""The attempts at a study's trials: the ledger of worker time."""

from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, text

from storage.rows import AttemptRow, HandBackReason, Outcome, StudyRow

# A trial that a person failed in the dashboard is over before its worker notices. `OFFSET 0` has
# Postgres look up each trial, where it would read those of all studies for a few attempts.
LEDGER = """WITH ledger AS (
    SELECT t.number, a.trial_id, a.attempt, a.worker_id AS worker, w.host, w.device, w.threads,
           w.machine, a.started_at, a.beat_at, a.ended_at, a.reason, a.detail,
           CASE WHEN t.state NOT IN ('RUNNING', 'WAITING')
                THEN timezone('UTC', t.datetime_complete) END AS trial_ended_at,
           (SELECT count(*) FROM search_service.epochs e
             WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt) AS kept,
           (SELECT count(*) FROM search_service.replaced_epochs e
             WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt) AS replaced
      FROM ({these}) a
     CROSS JOIN LATERAL (SELECT * FROM trials WHERE trial_id = a.trial_id OFFSET 0) t
      JOIN search_service.workers w ON w.worker_id = a.worker_id
)
SELECT number, trial_id, attempt, worker, host, device, threads, machine, started_at, beat_at,
       detail, kept + replaced AS epochs, replaced, coalesce(ended_at, trial_ended_at) AS ended_at,
       coalesce(reason, CASE WHEN trial_ended_at IS NOT NULL THEN :elsewhere END) AS reason
  FROM ledger ORDER BY number, attempt"""

# The attempts of a study that are read.
OF_STUDY = """SELECT a.* FROM search_service.attempts a
  JOIN trials t ON t.trial_id = a.trial_id WHERE t.study_id = :study"""
ALL = text(LEDGER.format(these=OF_STUDY))
OF_TRIALS = text(LEDGER.format(these=OF_STUDY + " AND t.number = ANY(CAST(:numbers AS integer[]))"))
# Of each worker the newest ones, which an index has in their order: not all of the study's.
NEWEST = text(
    LEDGER.format(
        these="""SELECT a.* FROM search_service.workers w
 CROSS JOIN LATERAL (
       SELECT * FROM search_service.attempts WHERE worker_id = w.worker_id
        ORDER BY started_at DESC LIMIT :most) a
 WHERE w.study_id = :study ORDER BY a.started_at DESC, a.trial_id DESC LIMIT :most"""
    )
)

UNLINKED = text("""SELECT a.trial_id, a.attempt FROM search_service.attempts a
  JOIN trials t ON t.trial_id = a.trial_id
 WHERE t.study_id = :study AND (a.reason IS NULL OR a.reason = ANY(:handed_back))""")


def every(
    connection: Connection, study: StudyRow, numbers: Collection[int] | None
) -> list[AttemptRow]:
    """Read the attempts at some trials, or at all for None, in order."""
    given = {"study": study.study_id, "numbers": list(numbers or ())}
    statement = ALL if numbers is None else OF_TRIALS
    rows = connection.execute(statement, {**given, "elsewhere": Outcome.ENDED_ELSEWHERE})
    return [_attempt(row) for row in rows.mappings()]


def newest(connection: Connection, study: StudyRow, most: int) -> list[AttemptRow]:
    """Read the attempts that were begun last, in the order of trials and attempts."""
    given = {"study": study.study_id, "most": most, "elsewhere": Outcome.ENDED_ELSEWHERE}
    return [_attempt(row) for row in connection.execute(NEWEST, given).mappings()]


def without_links(connection: Connection, study: StudyRow) -> list[tuple[int, int]]:
    """Read the trial's id and the number of each attempt that told no end and linked no file."""
    given = {"study": study.study_id, "handed_back": list(HandBackReason)}
    return [(row.trial_id, row.attempt) for row in connection.execute(UNLINKED, given)]


def _attempt(row: RowMapping) -> AttemptRow:
    return AttemptRow(**{**row, "reason": _reason(row["reason"])})


def _reason(stored: str | None) -> Outcome | HandBackReason | None:
    if stored is None:
        return None
    return HandBackReason(stored) if stored in list(HandBackReason) else Outcome(stored)
