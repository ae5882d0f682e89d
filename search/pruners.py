"""When a trial is not worth another epoch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

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
    """Give how many trials must have ended by themselves before any is judged."""
    if study.pruning.startup_trials is not None:
        return study.pruning.startup_trials
    return min(8, max(3, study.trials // 4))


def first_judged_epoch(study: Study, curve: Curve) -> int:
    """Give the first epoch at which this trial may be stopped: once settled, never epoch 1."""
    if study.pruning.first_epoch is not None:
        return study.pruning.first_epoch
    return max(2, curve.settled_epoch + 1, math.ceil(curve.epochs / 4))


def is_hopeless(study: Study, curve: Curve, completed: Sequence[Curve]) -> bool:
    """Say whether a trial is worse than the median of the completed ones at this share of the way.

    Schedules of different length are compared at equal shares of them, since a learning rate that
    has decayed flatters: epoch 4 of 4 is not epoch 4 of 20.
    """
    epoch = max(curve.values, default=0)
    if study.pruning.rule == "none" or len(completed) < startup_trials(study):
        return False
    if not first_judged_epoch(study, curve) <= epoch < curve.epochs:
        return False
    share = epoch / curve.epochs
    others = [other.best_until(share, study.direction) for other in completed]
    seen = [value for value in others if not math.isnan(value)]
    if not seen:
        return False
    best = curve.best_until(share, study.direction)
    return math.isnan(best) or _is_worse(best, median(seen), study.direction)


def _is_worse(value: float, other: float, direction: str) -> bool:
    return value > other if direction == "minimize" else value < other
