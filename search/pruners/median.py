"""The median rule: whether a trial is worth another epoch."""

import math
from collections.abc import Sequence
from statistics import median

from search.pruners.curve import Curve, first_judged_epoch, startup_trials
from spaces.study import Study


def is_hopeless(study: Study, curve: Curve, completed: Sequence[Curve]) -> bool:
    """Say whether a trial is worse than the median of the completed ones at the same share.

    Schedules of different length are compared at equal shares, because values improve as the
    learning rate decays: epoch 4 of 4 cannot be compared with epoch 4 of 20.
    """
    epoch = max(curve.values, default=0)
    if len(completed) < startup_trials(study):
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
