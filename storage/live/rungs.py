"""The values that the trials of a kin have had at the rungs of their schedules."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.rows import StudyRow

LIMITS = text("""SELECT rung, count(*) AS trials,
       (array_agg(value ORDER BY :sign * value))[CAST(count(*) / :one_in + 1 AS integer)] AS value
  FROM search_service.rungs WHERE study_id = :study AND kin = :kin
 GROUP BY rung ORDER BY rung""")


@dataclass(frozen=True, kw_only=True)
class RungLimit:
    """The value at a rung that the next trial must not be worse than.

    trials: how many of the kin were there.
    """

    rung: int
    trials: int
    value: float


def limits(connection: Connection, study: StudyRow, kin: str, one_in: int) -> list[RungLimit]:
    """Read the limit at each rung where a trial of this kin was.

    one_in: of so many trials one goes on, rounded up, the next one included.
    """
    sign = 1 if study.direction == "minimize" else -1
    given = {"study": study.study_id, "kin": kin, "one_in": one_in, "sign": sign}
    return [RungLimit(**row) for row in connection.execute(LIMITS, given).mappings()]
