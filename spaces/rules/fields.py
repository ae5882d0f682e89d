"""An objective's hyperparameters and metrics, described as plain mappings."""

from collections.abc import Mapping
from typing import Any

from spaces.space import TrialConfig
from spaces.study import Study

# By name: of a hyperparameter {type, low, high, choices, default, acts_when, ...}, of a metric
# {direction, ranks, changed_by, called, ...}. The type "any" takes every value. A hyperparameter of
# an author's own code may have no default.
Fields = Mapping[str, Mapping[str, Any]]


def default_values(fields: Fields) -> TrialConfig:
    """Return the default of every hyperparameter that has one."""
    return {name: field["default"] for name, field in fields.items() if "default" in field}


def given_fields(study: Study) -> Fields:
    """Describe the hyperparameters that a study gives to code of which nothing is known."""
    return {name: {"type": "any"} for name in (*study.fixed, *study.space.names)}
