"""The end of a trial by a person's decision."""

from sqlalchemy import Connection, text

from storage.engine.statements import TOUCH
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


def end_trial(connection: Connection, study: str, number: int) -> str | None:
    """End a trial that runs or waits, with its attempt; one that has ended stays as it is.

    Return the state that it had; None where there is no such trial.
    """
    given = {"study": study, "number": number, "reason": Outcome.ENDED_ELSEWHERE}
    row = connection.execute(END, given).one_or_none()
    return None if row is None else str(row.state)
