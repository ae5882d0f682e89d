"""The median rule: whether a trial is worth another epoch."""

import math

from search.pruners.curve import Curve
from search.pruners.others import Others
from spaces.judged import first_judged_epoch, startup_trials
from spaces.study import Study


def why_below_median(study: Study, curve: Curve, others: Others) -> str | None:
    """Say why a trial is stopped that is worse than the median of the completed ones; else None.

    Schedules of different length are compared at equal shares, because values improve as the
    learning rate decays: epoch 4 of 4 cannot be compared with epoch 4 of 20. At an epoch that is
    not judged nothing is read.
    """
    epoch = curve.last_epoch
    first = first_judged_epoch(study, curve.epochs, curve.settled_epoch)
    if not first <= epoch < curve.epochs:
        return None
    share, completed = epoch / curve.epochs, others.completed()
    if len(completed) < startup_trials(study):
        return None
    median = completed.median_until(share)
    best = curve.best_until(share, study.direction)
    if median is None or not (math.isnan(best) or _is_worse(best, median, study.direction)):
        return None
    return (
        f"epoch {epoch} of {curve.epochs}: {best:.4g} is worse than {median:.4g}, the median of"
        f" {len(completed)} completed trials at this share of their schedules"
    )


def _is_worse(value: float, other: float, direction: str) -> bool:
    return value > other if direction == "minimize" else value < other
