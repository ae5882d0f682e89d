"""A Parzen estimator: a density over configurations, learned from observed ones.

It is a mixture of kernels, one around each observed configuration and one for the prior (a belief,
or the whole range):

    p(x) = sum over kernels k of  weight[k] * product over parameters j of  kernel[j, k](x[j])

Watanabe 2023, arXiv:2304.11127, section 3; weights, constants and the order of random numbers as in
Optuna 5.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.random import RandomState
from optuna.distributions import BaseDistribution

from search.samplers.beliefs import Beliefs
from search.samplers.kernels import ChoiceKernels, Kernels, kernels_around
from search.samplers.observed import Floats

RECENT = 25  # observed configurations that weigh as much as the prior


@dataclass(frozen=True)
class ParzenEstimator:
    """A density over configurations.

    weights: (kernels,), of sum 1.
    kernels: those of each parameter, in the order of a configuration's values.
    """

    weights: Floats
    kernels: tuple[Kernels, ...]

    @classmethod
    def around(
        cls,
        observed: Floats,
        space: Mapping[str, BaseDistribution],
        beliefs: Beliefs | None = None,
        weight: float = 1.0,
    ) -> Self:
        """Build the density around observed configurations.

        observed: (parameters, n), parameters in the order of `space`, the oldest configuration
            first; values as Optuna stores them, none of them NaN.
        beliefs: those that make the last kernel, by name.
        weight: of the last kernel where there is a belief, as a multiple of the newest trial's.
        """
        beliefs = beliefs or {}
        kernels = tuple(
            kernels_around(values, distribution, beliefs.get(name))
            for values, (name, distribution) in zip(observed, space.items(), strict=True)
        )
        return cls(weigh(observed.shape[1], weight if beliefs else 1.0), kernels)

    def draw(
        self, random: RandomState, size: int, given: Mapping[int, float] | None = None
    ) -> Floats:
        """Draw configurations: (size, parameters).

        given: the value that a column has in all of them; the others are drawn as they go with it.
        """
        given = given or {}
        chosen = random.choice(len(self.weights), p=self._weights_beside(given), size=size)
        drawn = np.empty((size, len(self.kernels)))
        for column in self._drawing_order():
            drawn[:, column] = self.kernels[column].draw(chosen, random.random_sample(size))
        for column, value in given.items():
            drawn[:, column] = value
        return drawn

    def log_density(self, configurations: Floats) -> Floats:
        """Compute the log density of configurations, (size, parameters): (size,)."""
        terms = [
            cache(each.log_density) if each.is_discrete else each.log_density
            for each in self.kernels
        ]
        log_weights, total = np.log(self.weights), np.empty_like(self.weights)
        densities = np.empty(len(configurations))
        # One configuration at a time: its rows of (kernels,) stay in the processor's cache, which
        # takes less than half the time of arrays of (size, kernels) at 10,000 kernels.
        for row, configuration in enumerate(configurations.tolist()):
            total.fill(0)
            for term, value in zip(terms, configuration, strict=True):
                total += term(value)
            total += log_weights
            densities[row] = _log_sum_exp(total)
        return densities

    def _weights_beside(self, given: Mapping[int, float]) -> Floats:
        """Return the weights of the kernels where some columns have a value: (kernels,), sum 1."""
        if not given:
            return self.weights
        logs = np.log(self.weights)
        for column, value in given.items():
            logs += self.kernels[column].log_density(value)
        weights: Floats = np.exp(logs - logs.max())
        weights /= weights.sum()
        return weights

    def _drawing_order(self) -> list[int]:
        """Return the columns in the order in which Optuna draws them: choices, then numbers."""
        is_number = [not isinstance(each, ChoiceKernels) for each in self.kernels]
        return sorted(range(len(self.kernels)), key=is_number.__getitem__)


def weigh(count: int, prior: float = 1.0) -> Floats:
    """Weigh `count` observed configurations, the oldest first, and the prior: (count + 1,), sum 1.

    The newest 25 weigh the same; those before them the less the older they are ("old decay" in
    Watanabe 2023). The prior weighs as much as `prior` of the newest.
    """
    old = max(0, count - RECENT)
    decayed = np.linspace(1 / max(1, count), 1, num=old)
    weights: Floats = np.concatenate([decayed, np.ones(count - old), [prior]])
    weights /= weights.sum()
    return weights


def _log_sum_exp(terms: Floats) -> float:
    """Compute the log of the sum of exponentials; `terms` is overwritten."""
    peak = terms.max()
    terms -= peak
    np.exp(terms, out=terms)
    return float(np.log(terms.sum()) + peak)
