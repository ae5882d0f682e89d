"""The trials of a study as arrays: all that a sampler reads."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection

Floats = NDArray[np.float64]


class Observed(Protocol):
    """The trials of one study at one moment, a row each, in the order of their numbers.

    Every array has `count` rows; row n is trial n.
    direction: of the study, as Optuna has it.
    states: Optuna's TrialState values; 255 for a number that was never seen.
    values: the told value, NaN for none.
    last_steps: the last step with an intermediate value, -1 for none.
    last_values: the value of that step; NaN for none, or where NaN was reported.
    violations: the sum of the violated constraints (above 0), 0 for none.
    ways: how each was drawn, as its place in `storage.engine.changes.WAYS`.
    """

    @property
    def direction(self) -> StudyDirection: ...
    @property
    def count(self) -> int: ...
    @property
    def states(self) -> NDArray[np.uint8]: ...
    @property
    def values(self) -> Floats: ...
    @property
    def last_steps(self) -> NDArray[np.integer[Any]]: ...
    @property
    def last_values(self) -> Floats: ...
    @property
    def violations(self) -> Floats: ...
    @property
    def ways(self) -> NDArray[np.uint8]: ...

    def column(self, name: str, distribution: BaseDistribution) -> Floats:
        """Return the drawn values of a parameter, as Optuna stores them: (count,).

        A choice is the place of its option. NaN where the trial has no such value, or one that
        lies outside `distribution`.
        """
        ...
