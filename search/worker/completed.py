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
    conditional, curves = {param.name for param in stored.study.space if param.when}, arrays.curves
    epochs = np.full(len(curves.numbers), stored.settled.get(EPOCHS) or 0, dtype=np.int64)
    for name, distribution in declared.items():
        drawn = arrays.column(name, distribution)[curves.numbers]
        has_value = ~np.isnan(drawn)
        if name == EPOCHS:
            epochs[has_value] = _lengths(drawn[has_value], distribution)
        elif name not in conditional:
            epochs[~has_value] = 0
    epochs[arrays.drew_others(declared)[curves.numbers]] = 0
    return CompletedCurves(curves, epochs)


def _lengths(drawn: Floats, distribution: BaseDistribution) -> Floats:
    if isinstance(distribution, CategoricalDistribution):
        return np.array(distribution.choices, dtype=np.float64)[drawn.astype(np.int64)]
    return drawn
