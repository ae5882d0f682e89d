"""A study's trials in a process's memory, kept up to date by what is new.

Samplers and pruners read all trials, again and again. The first look reads the whole study, every
later one only trials that are new, that have ended or whose values were drawn meanwhile: one
statement each.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Row, text

from storage.errors import unknown_study
from storage.optuna_inside import stored_number, stored_step

STUDY = text("""SELECT s.study_id, CAST(d.direction AS text) AS direction
  FROM studies s JOIN study_directions d ON d.study_id = s.study_id
 WHERE s.study_name = :study""")

# The trials after `last`, those of `open` that have ended, those of `blank` that have begun, and
# one by its id.
REFRESH = text("""SELECT t.trial_id, t.number, CAST(t.state AS text) AS state,
       t.datetime_start, t.datetime_complete, v.value, CAST(v.value_type AS text) AS value_type,
       p.names, p.params, p.distributions, i.steps, i.kinds, i.step_values,
       y.system_keys, y.system_values, u.user_keys, u.user_values
  FROM trials t
  LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
 CROSS JOIN LATERAL (
       SELECT array_agg(CAST(param_name AS text) ORDER BY param_id) AS names,
              array_agg(param_value ORDER BY param_id) AS params,
              array_agg(distribution_json ORDER BY param_id) AS distributions
         FROM trial_params WHERE trial_id = t.trial_id) p
 CROSS JOIN LATERAL (
       SELECT array_agg(step ORDER BY step) AS steps,
              array_agg(CAST(intermediate_value_type AS text) ORDER BY step) AS kinds,
              array_agg(intermediate_value ORDER BY step) AS step_values
         FROM trial_intermediate_values WHERE trial_id = t.trial_id) i
 CROSS JOIN LATERAL (
       SELECT array_agg(CAST(key AS text)) AS system_keys, array_agg(value_json) AS system_values
         FROM trial_system_attributes WHERE trial_id = t.trial_id) y
 CROSS JOIN LATERAL (
       SELECT array_agg(CAST(key AS text)) AS user_keys, array_agg(value_json) AS user_values
         FROM trial_user_attributes WHERE trial_id = t.trial_id) u
 WHERE t.study_id = :study AND (
       t.trial_id > :last OR t.trial_id = :this
       OR t.trial_id = ANY(CAST(:open AS integer[])) AND t.state NOT IN ('RUNNING', 'WAITING')
       OR t.trial_id = ANY(CAST(:blank AS integer[])) AND t.state <> 'WAITING')
 ORDER BY t.number""")


class StudyMemory:
    """The trials of one study as Optuna's FrozenTrial, by number; UnknownStudy where it is gone.

    direction: of the study, as Optuna has it.
    """

    def __init__(self, connection: Connection, study: str) -> None:
        row = connection.execute(STUDY, {"study": study}).one_or_none()
        if row is None:
            raise unknown_study(study)
        self.name, self.study_id = study, int(row.study_id)
        self.direction = StudyDirection[row.direction]
        self._trials: dict[int, FrozenTrial] = {}  # by the trial's id, in the order of numbers
        self._newest = -1  # the largest id; within a study ids are committed in their order
        self._open: set[int] = set()  # ids of trials that have values and have not ended
        self._blank: set[int] = set()  # ids of trials without values
        self._refreshing = Lock()

    @property
    def trials(self) -> list[FrozenTrial]:
        """Every trial that was known at the last look, in the order of their numbers."""
        return list(self._trials.values())

    def trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial as it was at the last look; KeyError for one that was not there."""
        return self._trials[trial_id]

    def refresh(self, connection: Connection, this: int = -1) -> list[FrozenTrial]:
        """Read what is new, and return every trial.

        this: the id of a trial that is read in any case.
        """
        with self._refreshing:
            given = {
                "study": self.study_id,
                "last": self._newest,
                "this": this,
                "open": list(self._open),
                "blank": list(self._blank),
            }
            for row in connection.execute(REFRESH, given):
                self._take(row.trial_id, _frozen(row))
            return self.trials

    def _take(self, trial_id: int, trial: FrozenTrial) -> None:
        self._trials[trial_id] = trial
        self._newest = max(self._newest, trial_id)
        self._open.discard(trial_id)
        self._blank.discard(trial_id)
        if not trial.state.is_finished():
            (self._open if trial.params else self._blank).add(trial_id)


@lru_cache(maxsize=1024)
def read_distribution(text: str) -> BaseDistribution:
    """Read a distribution as Optuna stores it."""
    return json_to_distribution(text)


def _frozen(row: Row[Any]) -> FrozenTrial:
    distributions = {
        name: read_distribution(each)
        for name, each in zip(row.names or (), row.distributions or (), strict=True)
    }
    params = {
        name: distribution.to_external_repr(value)
        for (name, distribution), value in zip(distributions.items(), row.params or (), strict=True)
    }
    steps = zip(row.steps or (), row.step_values or (), row.kinds or (), strict=True)
    return FrozenTrial(
        number=row.number,
        state=TrialState[row.state],
        value=None,
        values=None if row.value_type is None else [stored_number(row.value, row.value_type)],
        datetime_start=row.datetime_start,
        datetime_complete=row.datetime_complete,
        params=params,
        distributions=distributions,
        user_attrs=_attributes(row.user_keys, row.user_values),
        system_attrs=_attributes(row.system_keys, row.system_values),
        intermediate_values={step: stored_step(value, kind) for step, value, kind in steps},
        trial_id=row.trial_id,
    )


def _attributes(keys: Sequence[str] | None, values: Sequence[str] | None) -> dict[str, Any]:
    return {key: json.loads(each) for key, each in zip(keys or (), values or (), strict=True)}
