"""The trials of an Optuna study as the arrays that our samplers read."""

import math
from collections.abc import Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution

from search.samplers.observed import Floats
from storage.engine.changes import WAYS
from storage.rows import Way


class Observing:
    """The trials of an Optuna study at this moment, as `Observed` describes them.

    ways: how each was drawn; of those after the last one it is not known.
    """

    def __init__(self, study: optuna.Study, ways: Sequence[Way] = ()) -> None:
        self.trials = trials = study.get_trials(deepcopy=False)
        self.direction, self.count = study.direction, len(trials)
        self.states = np.array([trial.state for trial in trials], dtype=np.uint8)
        self.values = np.array([trial.values[0] if trial.values else math.nan for trial in trials])
        last = [max(trial.intermediate_values.items(), default=(-1, math.nan)) for trial in trials]
        self.last_steps = np.array([step for step, _ in last], dtype=np.int32)
        self.last_values = np.array([value for _, value in last])
        violated = [[each for each in trial.constraints.values() if each > 0] for trial in trials]
        self.violations = np.array([math.fsum(each) for each in violated])
        self.ways = np.zeros(self.count, dtype=np.uint8)
        self.ways[: len(ways)] = [WAYS.index(way) for way in ways]

    def column(self, name: str, distribution: BaseDistribution) -> Floats:
        """Return the values of a parameter as Optuna stores them."""
        params = [trial.params for trial in self.trials]
        return np.array(
            [
                distribution.to_internal_repr(each[name]) if name in each else math.nan
                for each in params
            ],
            dtype=np.float64,
        )
