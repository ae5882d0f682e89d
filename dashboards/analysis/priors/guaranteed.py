"""The finished trials of each option that a study guarantees some."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from dashboards.analysis.numbers import short, whole
from spaces.shown import shown
from spaces.study import Study
from storage.engine.arrays import StudyArrays

Counts = Mapping[str, Mapping[str, int]]


def count_guaranteed(
    study: Study, declared: Mapping[str, BaseDistribution], arrays: StudyArrays
) -> Counts:
    """Count the finished trials by parameter and option, where the study guarantees some.

    declared: the distributions of the space, by name.
    """
    is_finished = arrays.states == TrialState.COMPLETE
    return {name: _count(declared[name], name, arrays, is_finished) for name in study.at_least}


def guaranteed_lines(counts: Counts, study: Study) -> Iterator[str]:
    """Yield the options of each parameter with their finished trials: resnet34 9 of 10."""
    for name, options in counts.items():
        least = study.at_least[name]
        told = (f"{shown(option)} {whole(count)} of {least}" for option, count in options.items())
        yield f"finished trials of {name}, of those guaranteed: {', '.join(told)}"


def _count(declared: Any, name: str, arrays: StudyArrays, is_counted: Any) -> dict[str, int]:
    column = arrays.column(name, declared)[is_counted]
    return {
        short(option): int(np.count_nonzero(column == place))
        for place, option in enumerate(declared.choices)
    }
