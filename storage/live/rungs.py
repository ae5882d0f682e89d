"""The trials of a study at the rungs of their schedules."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.rows import StudyRow

LIMITS = text("""SELECT rung, count(*) AS trials,
       (array_agg(value ORDER BY :sign * value))[CAST(count(*) / :one_in + 1 AS integer)] AS value
  FROM search_service.rungs WHERE study_id = :study AND kin = :kin
 GROUP BY rung ORDER BY rung""")


ROWS = text("""SELECT t.number, r.rung, r.kin, r.epoch, r.value, r.rank, r.among
  FROM trials t JOIN search_service.rungs r ON r.trial_id = t.trial_id
 WHERE t.study_id = :study
   AND (CAST(:numbers AS integer[]) IS NULL OR t.number = ANY(CAST(:numbers AS integer[])))
 ORDER BY t.number, r.rung""")


@dataclass(frozen=True, kw_only=True)
class RungRow:
    """A trial at a rung.

    kin: the trials that it was compared with.
    rank, among: its rank when it got there, from 1, among how many, itself included.
    """

    number: int
    rung: int
    kin: str
    epoch: int
    value: float
    rank: int
    among: int


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


def every(
    connection: Connection, study: StudyRow, numbers: Collection[int] | None
) -> list[RungRow]:
    """Read how some trials stood at their rungs, or all for None, in order."""
    given = {"study": study.study_id, "numbers": None if numbers is None else list(numbers)}
    return [RungRow(**row) for row in connection.execute(ROWS, given).mappings()]
