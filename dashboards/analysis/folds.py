"""The epoch that counts in each fold of a trial, and its value; a trial without folds has one."""

from collections.abc import Mapping

from objectives.contract import FOLD, FOLDS_DONE
from spaces.study import Study

Metrics = Mapping[str, float]


def fold_of(metrics: Metrics) -> int:
    """Return the fold of an epoch, from 1; 1 in a trial without folds."""
    return int(metrics.get(FOLD, 1))


def folds_done(metrics: Metrics) -> int:
    """Return the number of folds finished after an epoch; 0 in a trial without folds."""
    return int(metrics.get(FOLDS_DONE, 0))


def value_epochs(
    study: Study, values: Mapping[int, float], metrics: Mapping[int, Metrics]
) -> dict[int, int]:
    """Find the epoch that counts in each fold: its best or its last, as the study says.

    values: the study's metric by epoch.
    metrics: all reported metrics by epoch.
    """
    of_fold: dict[int, dict[int, float]] = {}
    for epoch, value in values.items():
        of_fold.setdefault(fold_of(metrics[epoch]), {})[epoch] = value
    best = min if study.direction == "minimize" else max
    return {
        fold: max(seen) if study.value == "last" else best(seen, key=seen.__getitem__)
        for fold, seen in of_fold.items()
    }


def fold_values(
    study: Study, values: Mapping[int, float], metrics: Mapping[int, Metrics]
) -> dict[int, float]:
    """Return the value of the epoch that counts in each fold; parameters as `value_epochs`."""
    judged = value_epochs(study, values, metrics)
    return {fold: values[epoch] for fold, epoch in judged.items()}
