"""What a trial's folds add up to: the epoch and the value of each; without folds there is one."""

from collections.abc import Mapping

from objectives.contract import FOLD, FOLDS_DONE
from spaces.study import Study

Metrics = Mapping[str, float]


def fold_of(metrics: Metrics) -> int:
    """Give the fold that an epoch is of; 1 where it says none."""
    return int(metrics.get(FOLD, 1))


def folds_done(metrics: Metrics) -> int:
    """Give how many folds are over after an epoch; 0 where it says none."""
    return int(metrics.get(FOLDS_DONE, 0))


def value_epochs(
    study: Study, values: Mapping[int, float], metrics: Mapping[int, Metrics]
) -> dict[int, int]:
    """Give by fold the epoch that it is judged by, its best or its last as the study says.

    values, metrics: of each epoch, the study's value and all that was reported.
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
    """Give by fold the value of the epoch that it is judged by."""
    judged = value_epochs(study, values, metrics)
    return {fold: values[epoch] for fold, epoch in judged.items()}
