"""The changes of a study since a process last looked, read in one statement.

A trial is new to a reader when its number is above every known one (a study's numbers are committed
in their order), when a transaction that the reader's last snapshot did not see has touched one of
its attempts, or when its state is another than the reader knows. The last is asked for by id, for
trials that stock Optuna or a person ends touch no attempt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import TrialState
from sqlalchemy import Connection, text

from storage.engine.identity import IDENTITY
from storage.optuna_inside import CONSTRAINTS, stored_number, violation
from storage.rows import Outcome, Way

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WAYS = ("-", *Way)  # in the order of their numbers in the arrays; "-" is none that is known
AT_ONCE = 1000  # new trials in one statement, which the server would end after 10 s
REPORTED = stored_number("i.intermediate_value", "i.intermediate_value_type")

# `OFFSET 0` has Postgres look each trial up in an index, however many rows it expects: it takes the
# trials after a number for a share of every table, and would read the tables of other studies too.
# A column of all trials is one text, `1,2,3`, so that 10,000 trials are a few rows. A number in
# text is exact. A transaction that is newer than this look was made on another server, of which
# this database is a copy.
CHANGES = text(f"""WITH newer AS (
    SELECT trial_id, number FROM trials WHERE study_id = :study_id AND number > :newest
     ORDER BY number LIMIT :most
), wanted AS (
    SELECT trial_id FROM newer
    UNION
    SELECT CAST(:this AS integer)
    UNION
    SELECT a.trial_id FROM search_service.attempts a
     WHERE a.touched >= pg_snapshot_xmin(CAST(:seen AS pg_snapshot))
       AND NOT pg_visible_in_snapshot(a.touched, CAST(:seen AS pg_snapshot))
       AND a.touched < pg_snapshot_xmax(pg_current_snapshot())
    UNION
    SELECT t.trial_id FROM unnest(CAST(:ids AS integer[]), CAST(:states AS text[]))
           AS known (trial_id, state)
     CROSS JOIN LATERAL (SELECT * FROM trials WHERE trial_id = known.trial_id OFFSET 0) t
     WHERE CAST(t.state AS text) IS DISTINCT FROM known.state
), fresh AS MATERIALIZED (
    SELECT t.trial_id, t.number, t.state,
           coalesce({stored_number("v.value", "v.value_type")}, 'NaN') AS value,
           (SELECT count(*) FROM search_service.attempts
             WHERE trial_id = t.trial_id AND ends_trial AND reason = :finished) AS finished,
           coalesce((SELECT way FROM search_service.draws WHERE trial_id = t.trial_id), '-') AS way
      FROM wanted
     CROSS JOIN LATERAL (SELECT * FROM trials WHERE trial_id = wanted.trial_id OFFSET 0) t
      LEFT JOIN LATERAL (
           SELECT * FROM trial_values WHERE trial_id = t.trial_id AND objective = 0 OFFSET 0) v
           ON true
     -- Not one whose turn comes with a later look: the newest known number has no gap below it.
     WHERE t.study_id = :study_id
       AND t.number <= greatest(:newest, (SELECT max(number) FROM newer))
)
SELECT CAST(pg_current_snapshot() AS text) AS seen,
       (SELECT {IDENTITY} FROM studies s WHERE s.study_name = :name) AS identity,
       (SELECT json_build_array(string_agg(CAST(number AS text), ',' ORDER BY number),
                                string_agg(CAST(trial_id AS text), ',' ORDER BY number),
                                string_agg(CAST(state AS text), ',' ORDER BY number),
                                string_agg(CAST(value AS text), ',' ORDER BY number),
                                string_agg(CAST(finished AS text), ',' ORDER BY number),
                                string_agg(way, ',' ORDER BY number))
          FROM fresh) AS trials,
       (SELECT json_agg(json_build_array(name, distribution, numbers, param_values)) FROM (
               SELECT p.param_name AS name, p.distribution_json AS distribution,
                      string_agg(CAST(number AS text), ',') AS numbers,
                      string_agg(CAST(p.param_value AS text), ',') AS param_values
                 FROM fresh CROSS JOIN LATERAL (
                      SELECT * FROM trial_params WHERE trial_id = fresh.trial_id OFFSET 0) p
                GROUP BY 1, 2 ORDER BY min(p.param_id)) drawn) AS params,
       (SELECT json_agg(json_build_array(step, numbers, step_values)) FROM (
               SELECT i.step, string_agg(CAST(number AS text), ',') AS numbers,
                      string_agg(CAST({REPORTED} AS text), ',') AS step_values
                 FROM fresh CROSS JOIN LATERAL (
                      SELECT * FROM trial_intermediate_values
                       WHERE trial_id = fresh.trial_id OFFSET 0) i
                WHERE fresh.state IN ('COMPLETE', 'PRUNED') GROUP BY 1) reported) AS steps,
       (SELECT json_agg(json_build_array(number, s.key, s.value_json))
          FROM fresh CROSS JOIN LATERAL (
               SELECT * FROM trial_system_attributes WHERE trial_id = fresh.trial_id OFFSET 0) s
         WHERE starts_with(s.key, :constraints)) AS constraints,
       (SELECT json_object_agg(key, value_json) FROM trial_system_attributes
         WHERE trial_id = :this) AS attributes""")


@dataclass(frozen=True, kw_only=True)
class Known:
    """The knowledge of a reader about a study.

    name, study_id: of the study.
    seen: the snapshot of the reader's last look, as Postgres writes it; None before the first.
    newest: the largest number of a trial.
    ids, states: trials that are asked for when their state has changed; None for any state.
    """

    name: str
    study_id: int
    seen: str | None
    newest: int
    ids: Sequence[int]
    states: Sequence[str | None]


@dataclass(frozen=True, kw_only=True)
class DrawnValues:
    """The values of one parameter under one distribution, as Optuna stores them.

    numbers, values: [k] the trials and the value of each.
    """

    name: str
    distribution: str
    numbers: Ints
    values: Floats


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The trials that are new to a reader, as columns.

    identity: of the study that has the name now; None where it is gone.
    seen: the snapshot of this look.
    numbers, ids, states, values, finished, ways: [n] of every new trial, by number; NaN for no
        value, 1 for a trial that a worker of ours took through its schedule, the place of its way
        in WAYS.
    curves: [m] trial number, step and value of the ended ones, by number and step.
    violations: the sum of the violated constraints, by trial number.
    attributes: the system attributes of the trial that was asked for.
    """

    identity: str | None
    seen: str
    numbers: Ints
    ids: Ints
    states: NDArray[np.uint8]
    values: Floats
    finished: Ints
    ways: NDArray[np.uint8]
    drawn: Sequence[DrawnValues]
    curves: tuple[Ints, Ints, Floats]
    violations: Mapping[int, float]
    attributes: Mapping[str, Any]

    @property
    def is_all(self) -> bool:
        """Say whether there is no other new trial."""
        return len(self.numbers) < AT_ONCE


def read_changes(connection: Connection, known: Known, this: int) -> Changes:
    """Read what is new in a study, of many new trials the first AT_ONCE.

    this: the id of a trial that is read in any case, with its attributes; -1 for none.
    """
    given = {**vars(known), "this": this, "most": AT_ONCE}
    given |= {"constraints": CONSTRAINTS, "finished": Outcome.FINISHED}
    row = connection.execute(CHANGES, given).one()
    numbers, ids, states, values, finished, ways = row.trials
    kinds = [TrialState[state].value for state in _split(states)]
    return Changes(
        identity=row.identity,
        seen=row.seen,
        numbers=_whole(numbers),
        ids=_whole(ids),
        states=np.array(kinds, dtype=np.uint8),
        values=_floats(values),
        finished=_whole(finished),
        ways=np.array([WAYS.index(way) for way in _split(ways)], dtype=np.uint8),
        drawn=[
            DrawnValues(
                name=name,
                distribution=distribution,
                numbers=_whole(of_trials),
                values=_floats(drawn),
            )
            for name, distribution, of_trials, drawn in row.params or ()
        ],
        curves=_curves(row.steps or ()),
        violations=_violations(row.constraints or ()),
        attributes={key: json.loads(value) for key, value in (row.attributes or {}).items()},
    )


def _curves(steps: Sequence[tuple[int, str, str]]) -> tuple[Ints, Ints, Floats]:
    if not steps:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    numbers = np.concatenate([_whole(of_trials) for _, of_trials, _ in steps])
    values = np.concatenate([_floats(reported) for _, _, reported in steps])
    counts = [of_trials.count(",") + 1 for _, of_trials, _ in steps]
    epochs = np.repeat([step for step, _, _ in steps], counts)
    order = np.lexsort((epochs, numbers))
    return numbers[order], epochs[order], values[order]


def _violations(constraints: Sequence[tuple[int, str, str]]) -> dict[int, float]:
    attributes: dict[int, dict[str, Any]] = {}
    for number, key, value in constraints:
        attributes.setdefault(number, {})[key] = json.loads(value)
    return {number: violation(of_trial) for number, of_trial in attributes.items()}


def _split(joined: str | None) -> list[str]:
    return joined.split(",") if joined else []


def _whole(joined: str | None) -> Ints:
    return np.array(_split(joined), dtype=np.int64)


def _floats(joined: str | None) -> Floats:
    return np.array(_split(joined), dtype=np.float64)
