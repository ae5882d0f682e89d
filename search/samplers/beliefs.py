"""Beliefs: the priors of a study's parameters, as densities over values as Optuna stores them.

A choice is the place of its option. A whole number has the probability of all numbers that are
rounded to it. A prior that prefers nothing (equal weights, a toggle at .5, none) is no belief.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from search.samplers.normal import ndtr, ndtri
from search.samplers.observed import Floats
from search.samplers.scales import NumberDistribution, ends, off_scale, on_scale, step_of
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.priors import UNIT_SPREAD, Scale
from spaces.space import Space
from spaces.weights import LEAST_SHARE

LEAST_LOG_RATIO = math.log(LEAST_SHARE)


@dataclass(frozen=True)
class Bell:
    """A normal distribution on a number's scale, cut to its range.

    center, spread: its mean and its standard deviation, as shares of the range.
    """

    distribution: NumberDistribution
    center: float
    spread: float

    def log_ratio(self, values: Floats) -> Floats:
        """Compute the log of the density at values, (n,), over that of uniform draws: (n,)."""
        half = step_of(self.distribution) / 2
        if half:
            left, right = self._places(values - half), self._places(values + half)
            relative = (ndtr(self._normal(right)) - ndtr(self._normal(left))) / (right - left)
        else:
            normal = self._normal(self._places(values))
            relative = np.exp(-0.5 * normal**2) / (self.spread * math.sqrt(2 * math.pi))
        below, upto = self._ends()
        with np.errstate(divide="ignore"):  # far from the center the density may be 0
            ratios: Floats = np.log(relative / (upto - below))
        return np.maximum(ratios, LEAST_LOG_RATIO)

    def draw(self, quantiles: Floats) -> Floats:
        """Return the values at quantiles in [0, 1): (draws,)."""
        below, upto = self._ends()
        places = self.center + self.spread * ndtri(below + quantiles * (upto - below))
        low, high = ends(self.distribution)
        return off_scale(low + places * (high - low), self.distribution)

    def _places(self, values: Floats) -> Floats:
        """Return the places of values in the range: 0 at its low end, 1 at its high end."""
        low, high = ends(self.distribution)
        places: Floats = (on_scale(values, self.distribution) - low) / (high - low)
        return places

    def _normal(self, places: Floats) -> Floats:
        return (places - self.center) / self.spread

    def _ends(self) -> Floats:
        """Return the shares of the uncut normal below the two ends of the range."""
        below: Floats = ndtr(self._normal(np.array([0.0, 1.0])))
        return below


@dataclass(frozen=True)
class Shares:
    """The probability of each option.

    shares: (options,), of sum 1, none below LEAST_SHARE.
    """

    shares: Floats

    def log_ratio(self, values: Floats) -> Floats:
        """Compute the log of the probability of options, (n,), over equal ones: (n,)."""
        ratios: Floats = np.log(self.shares * len(self.shares))
        return ratios[values.astype(np.intp)]

    def draw(self, quantiles: Floats) -> Floats:
        """Return the options at quantiles in [0, 1): (draws,)."""
        upto = np.cumsum(self.shares)
        upto[-1] = 1  # not .9999, which a quantile could exceed
        return np.searchsorted(upto, quantiles, side="right").astype(np.float64)


Belief = Bell | Shares
Beliefs = Mapping[str, Belief]


def beliefs_of(space: Space, distributions: Mapping[str, BaseDistribution]) -> Beliefs:
    """Return the belief about each parameter of a space that has one, in the order of the space.

    distributions: the declared ones, by name.
    """
    found = {param.name: _belief(param, distributions[param.name]) for param in space}
    return {name: belief for name, belief in found.items() if belief is not None}


def _belief(param: Param, distribution: BaseDistribution) -> Belief | None:
    if distribution.single():
        return None
    match param, distribution:
        case Float() | Int(), FloatDistribution() | IntDistribution():
            return _bell(param, distribution)
        case Choice() | Toggle(), _:
            return _shares(param.weights)
    return None


def _bell(param: Float | Int, distribution: NumberDistribution) -> Bell | None:
    if param.prior is None:
        return None
    half = step_of(distribution) / 2
    scale = Scale(param.low - half, param.high + half, param.log)
    return Bell(
        distribution, scale.to_unit(param.prior.center), UNIT_SPREAD[param.prior.confidence]
    )


def _shares(weights: tuple[float, ...]) -> Shares | None:
    if len(set(weights)) == 1:
        return None
    return Shares(np.array(weights) / sum(weights))
