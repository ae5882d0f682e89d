"""The curves that a trial is compared with: those of completed trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from spaces.stored import StoredStudy
from storage.engine.arrays import StudyArrays

EPOCHS = "epochs"

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Curves(Protocol):
    """The curves of completed trials."""

    def best_until(self, epochs: Whole) -> Floats:
        """Return the best value of each curve up to an epoch of its own; NaN for none."""


@dataclass(frozen=True)
class CompletedCurves:
    """The curves of a study's completed trials, with their schedules.

    epochs: [number of curves] the length of each schedule; 0 for a trial that is not compared.
    """

    curves: Curves
    epochs: Whole

    def __len__(self) -> int:
        """Return the number of trials that are compared."""
        return int(np.count_nonzero(self.epochs))

    def best_until(self, share: float) -> Floats:
        """Return the best value of each trial in the first `share` (0..1) of its schedule.

        Trials without a number there are left out.
        """
        until = np.floor(share * self.epochs + 1e-9).astype(np.int64)
        best = self.curves.best_until(until)
        return best[~np.isnan(best)]

    def median_until(self, share: float) -> float | None:
        """Return the median of these, which a trial must not be worse than; None without any."""
        best = self.best_until(share)
        return float(np.median(best)) if len(best) else None


def completed_curves(
    stored: StoredStudy, declared: Mapping[str, BaseDistribution], arrays: StudyArrays
) -> CompletedCurves:
    """Return the curves of the trials that went through their schedule.

    A trial that another program added, with other parameters or values, is not compared.

    declared: the distributions of the study's parameters.
    """
    curves = arrays.curves
    epochs = np.full(len(curves.numbers), stored.settled.get(EPOCHS) or 0, dtype=np.int64)
    is_ours = ~arrays.drew_others(declared)[curves.numbers]
    for param in stored.study.space:
        distribution = declared[param.name]
        drawn = arrays.column(param.name, distribution)[curves.numbers]
        has_value = ~np.isnan(drawn)
        if param.name == EPOCHS:
            epochs[has_value] = _lengths(drawn[has_value], distribution)
        if not param.when:
            is_ours &= has_value
    epochs[~is_ours] = 0
    return CompletedCurves(curves, epochs)


def _lengths(drawn: Floats, distribution: BaseDistribution) -> Floats:
    if isinstance(distribution, CategoricalDistribution):
        return np.array(distribution.choices, dtype=np.float64)[drawn.astype(np.int64)]
    return drawn
