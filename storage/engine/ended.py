"""The end of a trial by a person's decision."""

from sqlalchemy import Connection, text

from storage.engine.statements import TOUCH
from storage.errors import StorageError
from storage.rows import Outcome

# Its attempt ends with it: the attempt's worker notices that at its next beat or epoch.
END = text(f"""WITH asked AS (
    SELECT t.trial_id, CAST(t.state AS text) AS state FROM trials t
     WHERE t.number = :number
       AND t.study_id = (SELECT study_id FROM studies WHERE study_name = :study)
       FOR UPDATE
), ended AS (
    UPDATE trials t SET state = 'FAIL', datetime_complete = timezone('UTC', clock_timestamp())
      FROM asked WHERE t.trial_id = asked.trial_id AND asked.state IN ('RUNNING', 'WAITING')
 RETURNING t.trial_id
), closed AS (
    UPDATE search_service.attempts a
       SET ended_at = clock_timestamp(), reason = :reason, ends_trial = true, {TOUCH}
      FROM asked WHERE a.trial_id = asked.trial_id AND a.ended_at IS NULL
       AND asked.state IN ('RUNNING', 'WAITING')
)
SELECT asked.state, (SELECT CAST(search_service.wake_at_end(s.study_id) AS text) FROM studies s
         WHERE s.study_name = :study AND EXISTS (SELECT FROM ended)) AS woken
  FROM asked""")


def end_trial(connection: Connection, study: str, number: int) -> bool:
    """End a trial that runs or waits, with its attempt; False for one that had ended before.

    Raises StorageError for a trial that is not there.
    """
    given = {"study": study, "number": number, "reason": Outcome.ENDED_ELSEWHERE}
    row = connection.execute(END, given).one_or_none()
    if row is None:
        raise StorageError(
            f"study {study!r} has no trial {number}", f"see `search status --study {study} --all`"
        )
    return row.state in ("RUNNING", "WAITING")
