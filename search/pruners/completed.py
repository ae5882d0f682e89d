"""The curves that a trial is compared with: those of completed trials."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
