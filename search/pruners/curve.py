"""A trial's curve, and the first epoch at which it can be judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from spaces.study import Study


@dataclass(frozen=True)
class Curve:
    """The study's metric by epoch, and the schedule that the trial runs through.

    values: the metric by epoch, counted from 1.
    epochs: the length of the schedule.
    settled_epoch: the last epoch of warm-up and unfreezing.
    """

    values: Mapping[int, float]
    epochs: int
    settled_epoch: int = 0

    def best_until(self, share: float, direction: str) -> float:
        """Find the best value in the first `share` (0..1) of the schedule, NaN if there is none."""
        until = share * self.epochs + 1e-9
        seen = [
            value
            for epoch, value in self.values.items()
            if epoch <= until and not math.isnan(value)
        ]
        if not seen:
            return math.nan
        return min(seen) if direction == "minimize" else max(seen)


def startup_trials(study: Study) -> int:
    """Return the number of trials that must have run to their end before any is judged.

    With folds it is 1, because the paired test accounts for its own uncertainty.
    """
    if study.pruning.startup_trials is not None:
        return study.pruning.startup_trials
    if study.folds:
        return 1
    return min(8, max(3, study.trials // 4))


def first_judged_epoch(study: Study, curve: Curve) -> int:
    """Return the first epoch at which this trial may be stopped: once settled, never epoch 1."""
    if study.pruning.first_epoch is not None:
        return study.pruning.first_epoch
    return max(2, curve.settled_epoch + 1, math.ceil(curve.epochs / 4))
