"""The median rule: whether a trial is worth another epoch."""

import math
from collections.abc import Callable

from dashboards.analysis.curves.completed import CompletedCurves
from search.pruners.curve import Curve
from spaces.judged import first_judged_epoch, startup_trials
from spaces.study import Study


def is_hopeless(study: Study, curve: Curve, completed: Callable[[], CompletedCurves]) -> bool:
    """Say whether a trial is worse than the median of the completed ones at the same share.

    Schedules of different length are compared at equal shares, because values improve as the
    learning rate decays: epoch 4 of 4 cannot be compared with epoch 4 of 20.

    completed: reads the curves of the completed trials; not called at an epoch that is not judged.
    """
    epoch = max(curve.values, default=0)
    first = first_judged_epoch(study, curve.epochs, curve.settled_epoch)
    if not first <= epoch < curve.epochs:
        return False
    share, others = epoch / curve.epochs, completed()
    if len(others) < startup_trials(study):
        return False
    median = others.median_until(share)
    if median is None:
        return False
    best = curve.best_until(share, study.direction)
    return math.isnan(best) or _is_worse(best, median, study.direction)


def _is_worse(value: float, other: float, direction: str) -> bool:
    return value > other if direction == "minimize" else value < other
