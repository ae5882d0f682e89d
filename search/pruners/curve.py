"""A trial's curve, and from when on it can be judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from spaces.study import Study


@dataclass(frozen=True)
class Curve:
    """The study's metric by epoch (1 is the first), and how long the schedule behind it is.

    settled_epoch: the last one of warm-up and unfreezing.
    """

    values: Mapping[int, float]
    epochs: int
    settled_epoch: int = 0

    def best_until(self, share: float, direction: str) -> float:
        """Give the best value of the first `share` (0..1) of the schedule; NaN if there is none."""
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
    """Give how many trials must have ended by themselves before any is judged.

    With folds one: the test against it knows how sure it is.
    """
    if study.pruning.startup_trials is not None:
        return study.pruning.startup_trials
    if study.folds:
        return 1
    return min(8, max(3, study.trials // 4))


def first_judged_epoch(study: Study, curve: Curve) -> int:
    """Give the first epoch at which this trial may be stopped: once settled, never epoch 1."""
    if study.pruning.first_epoch is not None:
        return study.pruning.first_epoch
    return max(2, curve.settled_epoch + 1, math.ceil(curve.epochs / 4))
