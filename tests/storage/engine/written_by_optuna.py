"""The storage for readers with writes beside it, so that Optuna's tests of storages can run on it.

The writes are those of Optuna's RDBStorage on the same database, as those of any other program.
Only new trials are made by one statement: Optuna takes 20 for one of its tests' trials.
"""

import json
import math
from datetime import UTC, datetime

from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import make_url, text

from storage.engine.reading import ReadingStorage
from storage.transaction import pooled_engine

WRITES = [name for name in BaseStorage.__abstractmethods__ if not name.startswith("get_")]

CREATE = text("""WITH made AS (
    INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)
    SELECT s.study_id, (SELECT count(*) FROM trials t WHERE t.study_id = s.study_id),
           CAST(:state AS trialstate), :began, :ended
      FROM studies s WHERE s.study_id = :study RETURNING trial_id
), results AS (
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, place - 1, value, CAST(kind AS trialvaluetype)
      FROM made, unnest(CAST(:values AS double precision[]), CAST(:kinds AS text[]))
                 WITH ORDINALITY AS n (value, kind, place)
), params AS (
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial_id, name, value, distribution
      FROM made, unnest(CAST(:names AS text[]), CAST(:params AS double precision[]),
                        CAST(:distributions AS text[])) AS n (name, value, distribution)
), steps AS (
    INSERT INTO trial_intermediate_values
           (trial_id, step, intermediate_value, intermediate_value_type)
    SELECT trial_id, step, value, 'FINITE'
      FROM made, unnest(CAST(:steps AS integer[]), CAST(:reported AS double precision[]))
                 AS n (step, value)
), users AS (
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM made, json_each_text(CAST(:users AS json)) AS n (key, value)
), systems AS (
    INSERT INTO trial_system_attributes (trial_id, key, value_json)
    SELECT trial_id, key, value FROM made, json_each_text(CAST(:systems AS json)) AS n (key, value)
)
SELECT trial_id FROM made""")


class WrittenByOptuna(ReadingStorage):
    """The storage for readers, with Optuna's writes."""

    def __init__(self, url: str) -> None:
        self.engine = pooled_engine(make_url(url), connections=1)
        super().__init__(self.engine)
        self._url, optunas = url, RDBStorage(url, skip_table_creation=True)
        for name in WRITES:
            setattr(self, name, getattr(optunas, name))
        self.create_new_trial = self._create_new_trial  # type: ignore[method-assign]

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """Open the database again in another process, as RDBStorage does."""
        return WrittenByOptuna, (self._url,)

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial = template_trial or create_trial(state=TrialState.RUNNING)
        values = trial.values or []
        given = {
            "study": study_id,
            "state": trial.state.name,
            "began": _utc(trial.datetime_start),
            "ended": _utc(trial.datetime_complete),
            "values": [value if math.isfinite(value) else None for value in values],
            "kinds": [_kind(value) for value in values],
            "names": list(trial.params),
            "params": [
                trial.distributions[name].to_internal_repr(value)
                for name, value in trial.params.items()
            ],
            "distributions": [distribution_to_json(each) for each in trial.distributions.values()],
            "steps": list(trial.intermediate_values),
            "reported": list(trial.intermediate_values.values()),
            "users": _attributes(trial.user_attrs),
            "systems": _attributes(trial.system_attrs),
        }
        with self.engine.connect() as connection:
            trial_id: int | None = connection.scalar(CREATE, given)
        if trial_id is None:
            raise KeyError(study_id)
        return trial_id


def _kind(value: float) -> str:
    return "FINITE" if math.isfinite(value) else "INF_POS" if value > 0 else "INF_NEG"


def _attributes(attributes: dict[str, object]) -> str:
    """Write attributes as JSON with each value as JSON in a text."""
    return json.dumps({key: json.dumps(value) for key, value in attributes.items()})


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(tzinfo=None)
