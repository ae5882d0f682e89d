"""The worth of trying a configuration: the improvement to expect, and the beliefs about it.

log EI(x) + weight * sum over believed parameters j of max(log(prior_j(x_j) / uniform), -4)

The second term is that of piBO (Hvarfner et al. 2022, arXiv:2204.11051, eq. 6), with a floor: a
region that a prior excludes can still be reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from scipy.interpolate import PchipInterpolator

from search.samplers.beliefs import Belief, Beliefs
from search.samplers.gp.encoding import Column, Encoding
from search.samplers.gp.improvement import log_improvement, log_improvement_slopes
from search.samplers.gp.posterior import Posterior
from search.samplers.observed import Floats

FLOOR = -4.0
TABLE = 129  # places at which the belief about a number is looked up


@dataclass(frozen=True)
class Table:
    """The log ratio of a belief at some places; a smooth curve leads from one to the next.

    A curve with corners took the search for the maximum three times as many steps.

    places, ratios: (m,), the places in ascending order.
    """

    places: Floats
    ratios: Floats

    @classmethod
    def of(cls, column: Column, belief: Belief) -> Self:
        """Look up the belief about a parameter."""
        is_short = column.is_choice or 0 < column.size <= TABLE
        places = column.grid() if is_short else np.linspace(0, 1, TABLE)
        return cls(places, np.maximum(belief.log_ratio(column.stored(places)), FLOOR))

    def at(self, places: Floats) -> Floats:
        """Return the log ratio at places, 0 where the parameter does not exist: (n,)."""
        ratios: Floats = self._curve(np.clip(places, self.places[0], self.places[-1]))
        return np.where(np.isnan(ratios), 0.0, ratios)

    def slope_at(self, place: float) -> float:
        """Return the derivative of the log ratio at a place, 0 beyond the outermost values."""
        is_inside = self.places[0] <= place <= self.places[-1]
        return float(self._slope(place)) if is_inside else 0.0

    @cached_property
    def _curve(self) -> PchipInterpolator:
        return PchipInterpolator(self.places, self.ratios)

    @cached_property
    def _slope(self) -> PchipInterpolator:
        return self._curve.derivative()


def tables(encoding: Encoding, beliefs: Beliefs) -> dict[int, Table]:
    """Look up the beliefs about parameters of more than one value, by column."""
    return {
        at: Table.of(column, beliefs[column.name])
        for at, column in enumerate(encoding.columns)
        if column.name in beliefs
    }


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """The worth of points, in which NaN is a parameter that does not exist.

    best: the score to improve on.
    beliefs: by column.
    weight: how much they count.
    """

    encoding: Encoding
    posterior: Posterior
    best: float
    beliefs: Mapping[int, Table] = field(default_factory=dict)
    weight: float = 0.0

    def at(self, points: Floats) -> Floats:
        """Compute the worth of points, (m, columns): (m,)."""
        coordinates = self.posterior.space.embed(points)
        worth = log_improvement(*self.posterior.at(coordinates), self.best)
        for column, table in self.beliefs.items():
            worth += self.weight * table.at(points[:, column])
        return worth

    def slopes_at(self, point: Floats) -> tuple[float, Floats]:
        """Compute the worth of one point, (columns,), and its derivatives by its numbers."""
        space = self.posterior.space
        coordinates = space.embed(point[np.newaxis])
        mean, deviation, by_mean, by_deviation = self.posterior.slopes_at(coordinates)
        log_ei, mean_slope, deviation_slope = log_improvement_slopes(mean, deviation, self.best)
        worth = float(log_ei[0])
        by_coordinates = (mean_slope * by_mean.T + deviation_slope * by_deviation.T)[:, 0]
        slopes = by_coordinates[np.searchsorted(space.owners, np.arange(len(point)))]
        for column, table in self.beliefs.items():
            if not np.isnan(point[column]):
                worth += self.weight * float(table.at(point[column : column + 1])[0])
                slopes[column] += self.weight * table.slope_at(float(point[column]))
        return worth, slopes
