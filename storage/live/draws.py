"""How the trials of a study were drawn, and what its sampler knew of the priors at last."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from storage.rows import StudyRow, Way

# Of the new trials, and of those whose values were not drawn before.
DRAWS = text("""WITH changed AS MATERIALIZED (
    SELECT t.number, t.state, d.way, d.why
      FROM trials t
      LEFT JOIN search_service.draws d ON d.trial_id = t.trial_id
     WHERE t.study_id = :study
       AND (t.number > :after OR t.number = ANY(CAST(:open AS integer[])))
)
SELECT (SELECT max(number) FROM changed) AS newest,
       (SELECT array_agg(number) FROM changed
         WHERE way IS NULL AND state IN ('WAITING', 'RUNNING')) AS open,
       (SELECT json_object_agg(way, trials) FROM (
               SELECT way, count(*) AS trials FROM changed
                WHERE way IS NOT NULL GROUP BY way) counted) AS ways,
       known.number AS trial, known.why
  FROM (SELECT) one
  LEFT JOIN LATERAL (
       SELECT number, why FROM changed
        WHERE why ->> 'record' IS NOT NULL ORDER BY number DESC LIMIT 1) known ON true""")


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The draws of a study at one moment, and what a later reading goes on from.

    ways: how many trials were drawn in each way, in the order of Way.
    trial, why: the newest trial whose sampler knew a record of the priors, and its `Drawing.why`;
        None before the first.
    open: the numbers of the trials whose values are still to be drawn.
    newest: the largest number of all.
    """

    ways: Mapping[Way, int] = field(default_factory=dict)
    trial: int | None = None
    why: Mapping[str, Any] = field(default_factory=dict)
    open: Set[int] = frozenset()
    newest: int = -1


def draws(connection: Connection, study: StudyRow, before: Draws | None) -> Draws:
    """Count the draws of a study by their way, and find the newest knowledge of the priors.

    before: an earlier reading of the same study, from which this one goes on.
    """
    before = before or Draws()
    given = {"study": study.study_id, "after": before.newest, "open": list(before.open)}
    row = connection.execute(DRAWS, given).one()
    new = row.ways or {}
    is_newer = row.trial is not None and (before.trial is None or row.trial > before.trial)
    counts = {way: before.ways.get(way, 0) + new.get(way, 0) for way in Way}
    return Draws(
        ways={way: count for way, count in counts.items() if count},
        trial=row.trial if is_newer else before.trial,
        why=row.why if is_newer else before.why,
        open=frozenset(row.open or ()),
        newest=max(before.newest, -1 if row.newest is None else row.newest),
    )
