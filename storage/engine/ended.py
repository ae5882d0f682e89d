"""The end of a trial by a person's decision."""

from sqlalchemy import Connection, text

# As if failed through Optuna: the attempt's worker notices it at its next beat or epoch.
END = text("""WITH asked AS (
    SELECT t.trial_id, CAST(t.state AS text) AS state FROM trials t
     WHERE t.number = :number
       AND t.study_id = (SELECT study_id FROM studies WHERE study_name = :study)
       FOR UPDATE
), ended AS (
    UPDATE trials t SET state = 'FAIL', datetime_complete = timezone('UTC', clock_timestamp())
      FROM asked WHERE t.trial_id = asked.trial_id AND asked.state IN ('RUNNING', 'WAITING')
 RETURNING t.trial_id
)
SELECT asked.state, (SELECT CAST(search_service.wake_at_end(s.study_id) AS text) FROM studies s
         WHERE s.study_name = :study AND EXISTS (SELECT FROM ended)) AS woken
  FROM asked""")


def end_trial(connection: Connection, study: str, number: int) -> str | None:
    """End a trial that runs or waits in the queue; one that has ended stays as it is.

    Return the state that it had; None where there is no such trial.
    """
    row = connection.execute(END, {"study": study, "number": number}).one_or_none()
    return None if row is None else str(row.state)
