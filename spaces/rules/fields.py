"""An objective's hyperparameters and metrics, described as plain mappings."""

from collections.abc import Mapping
from typing import Any

from spaces.space import TrialConfig

# By name: of a hyperparameter {type, low, high, choices, default, acts_when, ...}, of a metric
# {direction, ranks, changed_by, called, ...}.
Fields = Mapping[str, Mapping[str, Any]]


def default_values(fields: Fields) -> TrialConfig:
    """Return the default of every hyperparameter."""
    return {name: field["default"] for name, field in fields.items()}
