"""The curves that a worker's trials are compared with, from the study's arrays."""

from collections.abc import Mapping

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.pruners.completed import CompletedCurves, Floats
from spaces.stored import StoredStudy
from storage.engine.arrays import StudyArrays

EPOCHS = "epochs"


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
