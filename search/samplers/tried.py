"""The configurations that have been tried by other trials, whatever became of these."""

import math
from dataclasses import dataclass

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from search.samplers.observed import Floats, Observed
from search.samplers.searched import Configuration, Searched


@dataclass(frozen=True)
class Tried:
    """The configurations of all trials of a study but trial `number`."""

    searched: Searched
    observed: Observed
    number: int

    def has(self, configuration: Configuration) -> bool:
        """Say whether one of them has exactly these values."""
        if not self.searched.open:
            return False
        is_same = np.ones(self.observed.count, dtype=np.bool_)
        is_same[self.number : self.number + 1] = False
        for name, distribution in self.searched.open.items():
            column = self.observed.column(name, distribution)
            if name in configuration:
                is_same &= column == distribution.to_internal_repr(configuration[name])
            else:
                is_same &= np.isnan(column)
        return bool(is_same.any())

    def has_all(self) -> bool:
        """Say whether these are all configurations of a space without conditions."""
        size = math.prod(map(_size, self.searched.open.values()))
        if size > self.observed.count:
            return False
        columns = [self.observed.column(*each) for each in self.searched.open.items()]
        rows: Floats = np.stack(columns, axis=1)
        rows[self.number : self.number + 1] = np.nan
        whole = rows[~np.isnan(rows).any(axis=1)]
        return len(np.unique(whole, axis=0)) >= size


def _size(distribution: BaseDistribution) -> float:
    """Return how many values a distribution has; infinity for real numbers."""
    match distribution:
        case CategoricalDistribution():
            return len(distribution.choices)
        case IntDistribution():
            return (distribution.high - distribution.low) // distribution.step + 1
    return math.inf
