"""A study in memory: the arrays that our samplers read, without a database."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from dashboards.analysis.distributions import distributions
from search.samplers.observed import Floats
from spaces.params import Value
from spaces.space import Space
from storage.engine.changes import WAYS
from storage.rows import Way

UNKNOWN = 255


class Arrays:
    """The trials of one study that is minimised, as `Observed` describes them.

    space: the study's.
    room: the number of trials at most.
    """

    name, study_id, direction = "quality", 1, StudyDirection.MINIMIZE

    def __init__(self, space: Space, room: int) -> None:
        self.declared = distributions(space)
        self.count = 0
        self._states = np.full(room, UNKNOWN, np.uint8)
        self._values = np.full(room, np.nan)
        self._ways = np.zeros(room, np.uint8)
        self._none = np.full(room, -1, np.int64)
        self._columns = {name: np.full(room, np.nan) for name in self.declared}

    @property
    def states(self) -> NDArray[np.uint8]:
        """The states, as Optuna numbers them."""
        return self._states[: self.count]

    @property
    def values(self) -> Floats:
        """The told values."""
        return self._values[: self.count]

    @property
    def ways(self) -> NDArray[np.uint8]:
        """How each trial was drawn, as its place in WAYS."""
        return self._ways[: self.count]

    @property
    def last_steps(self) -> NDArray[np.int64]:
        """No trial has intermediate values."""
        return self._none[: self.count]

    @property
    def last_values(self) -> Floats:
        """No trial has intermediate values."""
        return np.full(self.count, np.nan)

    @property
    def violations(self) -> Floats:
        """No trial violates a constraint."""
        return np.zeros(self.count)

    def column(self, name: str, distribution: BaseDistribution) -> Floats:
        """Return the drawn values of a parameter."""
        if distribution != self.declared[name]:
            raise ValueError(f"{name} was drawn from {self.declared[name]}, not {distribution}")
        return self._columns[name][: self.count]

    def claim(self, number: int) -> FrozenTrial:
        """Add a running trial without values, as a worker that has just claimed it does."""
        self.count = max(self.count, number + 1)
        self._states[number] = TrialState.RUNNING
        return FrozenTrial(
            number=number,
            trial_id=number + 1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=None,
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
        )

    def draw(self, number: int, config: Mapping[str, Value], way: Way | None) -> None:
        """Note a trial's values, and how they were drawn."""
        for name, value in config.items():
            self._columns[name][number] = self.declared[name].to_internal_repr(value)
        if way is not None:
            self._ways[number] = WAYS.index(way)

    def tell(self, number: int, value: float) -> None:
        """End a trial with its value."""
        self._states[number], self._values[number] = TrialState.COMPLETE, value

    def fail(self, number: int) -> None:
        """End a trial without a value."""
        self._states[number] = TrialState.FAIL
