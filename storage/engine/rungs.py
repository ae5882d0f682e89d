"""A trial at a rung of its schedule: noted and ranked among its kin, in one statement.

A trial that was noted at a rung keeps the rank that it had then, so that the attempt after a death
reads the same answer. Two trials that arrive at the same moment do not count for each other.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.engine import statements, steps
from storage.engine.leases import Claim

# NaN is larger than any number in Postgres, and stays so with another sign: it is never better.
# DO UPDATE, which changes nothing, returns the row that is there; DO NOTHING would return none.
NOTE = text(f"""WITH {statements.HELD}, of AS (
    SELECT t.study_id, CASE d.direction WHEN 'MINIMIZE' THEN 1 ELSE -1 END AS sign
      FROM trials t JOIN study_directions d ON d.study_id = t.study_id
     WHERE t.trial_id = :trial
), before AS (
    SELECT count(*) AS trials, count(*) FILTER (
           WHERE of.sign * r.value < of.sign * CAST(:value AS double precision)) AS better
      FROM of JOIN search_service.rungs r
        ON r.study_id = of.study_id AND r.rung = :rung AND r.kin = :kin
)
INSERT INTO search_service.rungs AS known
       (trial_id, rung, study_id, kin, epoch, value, rank, among)
SELECT held.trial_id, :rung, of.study_id, :kin, :epoch, :value,
       before.better + 1, before.trials + 1
  FROM held CROSS JOIN of CROSS JOIN before
    ON CONFLICT (trial_id, rung) DO UPDATE SET rank = known.rank
RETURNING rank, among""")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A trial at a rung.

    kin: the trials that it is compared with.
    value: by which it is compared.
    """

    rung: int
    kin: str
    epoch: int
    value: float


@dataclass(frozen=True)
class Standing:
    """The rank of a trial when it came to a rung, from 1, among how many, itself included."""

    rank: int
    among: int


def note(connection: Connection, claim: Claim, arrival: Arrival) -> Standing:
    """Note a trial at a rung, extend the lease, and return the trial's rank.

    Raises LeaseLost when the attempt is over.
    """
    given = {**steps.attempt_of(claim), **vars(arrival)}
    row = connection.execute(NOTE, given).one_or_none()
    if row is None:
        raise steps.lease_lost(claim)
    return Standing(row.rank, row.among)
