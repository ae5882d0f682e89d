"""A trial as Optuna's FrozenTrial, from one row that has all of it."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Row

from storage.optuna_inside import stored_number

# Of each trial in `t`, in the orders in which Optuna stored it.
FROZEN = """t.trial_id, t.number, CAST(t.state AS text) AS state,
       t.datetime_start, t.datetime_complete, v.results,
       p.names, p.params, p.distributions, i.steps, i.reported,
       u.user_keys, u.user_values, y.system_keys, y.system_values"""
PARTS = f"""
 CROSS JOIN LATERAL (
       SELECT array_agg({stored_number("value", "value_type")} ORDER BY objective) AS results
         FROM trial_values WHERE trial_id = t.trial_id) v
 CROSS JOIN LATERAL (
       SELECT array_agg(param_name ORDER BY param_id) AS names,
              array_agg(param_value ORDER BY param_id) AS params,
              array_agg(distribution_json ORDER BY param_id) AS distributions
         FROM trial_params WHERE trial_id = t.trial_id) p
 CROSS JOIN LATERAL (
       SELECT array_agg(step ORDER BY step) AS steps,
              array_agg({stored_number("intermediate_value", "intermediate_value_type")}
                        ORDER BY step) AS reported
         FROM trial_intermediate_values WHERE trial_id = t.trial_id) i
 CROSS JOIN LATERAL (
       SELECT array_agg(key ORDER BY trial_user_attribute_id) AS user_keys,
              array_agg(value_json ORDER BY trial_user_attribute_id) AS user_values
         FROM trial_user_attributes WHERE trial_id = t.trial_id) u
 CROSS JOIN LATERAL (
       SELECT array_agg(key ORDER BY trial_system_attribute_id) AS system_keys,
              array_agg(value_json ORDER BY trial_system_attribute_id) AS system_values
         FROM trial_system_attributes WHERE trial_id = t.trial_id) y"""


def frozen(row: Row[Any]) -> FrozenTrial:
    """Build a trial from its row of FROZEN and PARTS."""
    distributions = {
        name: read_distribution(each)
        for name, each in zip(row.names or (), row.distributions or (), strict=True)
    }
    params = {
        name: external(distribution, value)
        for (name, distribution), value in zip(distributions.items(), row.params or (), strict=True)
    }
    return FrozenTrial(
        number=row.number,
        state=TrialState[row.state],
        value=None,
        values=row.results,
        datetime_start=_local(row.datetime_start),
        datetime_complete=_local(row.datetime_complete),
        params=params,
        distributions=distributions,
        user_attrs=attributes(row.user_keys, row.user_values),
        system_attrs=attributes(row.system_keys, row.system_values),
        intermediate_values=dict(zip(row.steps or (), row.reported or (), strict=True)),
        trial_id=row.trial_id,
    )


@lru_cache(maxsize=1024)
def read_distribution(text: str) -> BaseDistribution:
    """Read a distribution as Optuna stores it."""
    return json_to_distribution(text)


def external(distribution: BaseDistribution, value: float) -> Any:
    """Return a value as it was drawn, from the number that Optuna stores.

    An infinite one stays: stock Optuna stores it where one was queued, for a whole number too.
    """
    return distribution.to_external_repr(value) if math.isfinite(value) else value


def attributes(keys: Sequence[str] | None, values: Sequence[str] | None) -> dict[str, Any]:
    """Build attributes from their keys and their values as JSON; None for both where none are."""
    return {key: json.loads(each) for key, each in zip(keys or (), values or (), strict=True)}


def _local(moment: datetime | None) -> datetime | None:
    """Return a stored time, which is in UTC, as this machine's time without a zone, as Optuna."""
    return moment and moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
