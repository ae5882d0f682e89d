"""Configurations as points: a row for each, a column for each parameter that has several values.

A number is its place on its scale, 0 to 1; a choice is the place of its option; NaN stands for a
parameter that does not exist in the configuration, because its condition does not hold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from search.samplers.observed import Floats
from search.samplers.scales import ends, off_scale, on_scale, step_of
from search.samplers.searched import Configuration, Searched

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One parameter of a point.

    distribution: as Optuna declares it, with more than one value.
    """

    name: str
    distribution: Any

    @property
    def is_choice(self) -> bool:
        """Whether its values have no order."""
        return isinstance(self.distribution, CategoricalDistribution)

    @property
    def size(self) -> int:
        """The number of its values; 0 for real numbers."""
        if self.is_choice:
            return len(self.distribution.choices)
        step = step_of(self.distribution)
        return round((self.distribution.high - self.distribution.low) / step) + 1 if step else 0

    def place(self, stored: Floats) -> Floats:
        """Return the place of each value, given as Optuna stores it; NaN for one that is outside.

        The scale of a stepped number ends half a step beyond its outermost values, so that every
        value has its share of it.
        """
        if self.is_choice:
            return stored
        low, high = ends(self.distribution)
        is_inside = (self.distribution.low <= stored) & (stored <= self.distribution.high)
        inside = np.where(is_inside, stored, np.nan)
        places: Floats = (on_scale(inside, self.distribution) - low) / (high - low)
        return places

    def stored(self, places: Floats) -> Floats:
        """Return the valid value nearest to each place, as Optuna stores it."""
        if self.is_choice:
            return places
        low, high = ends(self.distribution)
        return off_scale(low + places * (high - low), self.distribution)

    def grid(self) -> Floats:
        """Return the place of every value, where there are some: (size,)."""
        indices = np.arange(self.size, dtype=np.float64)
        if self.is_choice:
            return indices
        return self.place(self.distribution.low + step_of(self.distribution) * indices)

    def neighbours(self, place: float) -> Floats:
        """Return the places of the two values on either side of a stepped number's."""
        steps = step_of(self.distribution) * np.array([-2.0, -1.0, 1.0, 2.0])
        places = self.place(self.stored(np.array([place])) + steps)
        return places[~np.isnan(places)]

    def spread(self, quantiles: Floats) -> Floats:
        """Return the values at quantiles in [0, 1) of a uniform draw, as places."""
        if self.is_choice:
            return np.floor(quantiles * self.size)
        return self.place(self.stored(quantiles)) if self.size else quantiles


@dataclass(frozen=True)
class Encoding:
    """The columns of a point, and the conditions under which they exist.

    conditions: for each column, the columns that it depends on and the value of each, as Optuna
        stores it.
    """

    columns: tuple[Column, ...]
    conditions: tuple[tuple[tuple[int, float], ...], ...]

    @classmethod
    def of(cls, searched: Searched) -> Self:
        """Encode the parameters that have several values, in their order."""
        space = searched.distributions
        columns = tuple(Column(name, each) for name, each in space.items() if not each.single())
        at = {column.name: place for place, column in enumerate(columns)}
        conditions = (tuple(_conditions(column.name, searched, at)) for column in columns)
        return cls(columns, tuple(conditions))

    @cached_property
    def is_choice(self) -> Bools:
        """Which columns are choices."""
        return np.array([column.is_choice for column in self.columns], dtype=np.bool_)

    @cached_property
    def is_conditional(self) -> Bools:
        """Which columns do not exist in every configuration."""
        return np.array([bool(each) for each in self.conditions], dtype=np.bool_)

    def masked(self, points: Floats) -> Floats:
        """Replace by NaN the parameters whose conditions do not hold: (points, columns)."""
        points = points.copy()
        for at, conditions in enumerate(self.conditions):
            for other, value in conditions:
                # A parameter that does not exist is NaN, which is unlike every value.
                stored = self.columns[other].stored(points[:, other])
                points[~(np.abs(stored - value) <= 1e-9 * abs(value)), at] = np.nan
        return points

    def snapped(self, points: Floats) -> Floats:
        """Move stepped numbers to their nearest values: (points, columns)."""
        points = points.copy()
        for at, column in enumerate(self.columns):
            if column.size and not column.is_choice:
                points[:, at] = column.place(column.stored(points[:, at]))
        return points

    def spread(self, quantiles: Floats) -> Floats:
        """Return the points at quantiles in [0, 1) of uniform draws: (points, columns)."""
        columns = zip(self.columns, quantiles.T, strict=True)
        return np.stack([column.spread(each) for column, each in columns], axis=1)

    def points(self, stored: Mapping[str, Floats]) -> tuple[Floats, Bools]:
        """Return the points of trials, and which of them have all values that exist there.

        stored: name -> the value in each trial, NaN for none.
        """
        given = np.stack([column.place(stored[column.name]) for column in self.columns], axis=1)
        is_missing = np.isnan(given)
        exists = ~np.isnan(self.masked(np.where(is_missing, 0.5, given)))
        lacks: Bools = np.any(is_missing & exists, axis=1)
        return self.masked(given), ~lacks

    def held(self, given: Mapping[str, Any]) -> dict[int, float]:
        """Return the places of given values by column, without those outside their range."""
        places = {}
        for at, column in enumerate(self.columns):
            if column.name in given:
                stored = column.distribution.to_internal_repr(given[column.name])
                places[at] = float(column.place(np.array([stored], dtype=np.float64))[0])
        return {at: place for at, place in places.items() if not np.isnan(place)}

    def configuration(self, point: Floats) -> Configuration:
        """Return the values of a point, (columns,), by name, without those that do not exist."""
        return {
            column.name: column.distribution.to_external_repr(
                float(column.stored(point[at : at + 1])[0])
            )
            for at, column in enumerate(self.columns)
            if not np.isnan(point[at])
        }


def _conditions(
    name: str, searched: Searched, at: Mapping[str, int]
) -> Iterator[tuple[int, float]]:
    """Yield the columns that a parameter depends on, and the value of each, as Optuna stores it.

    A parameter with one value has no column: where it exists, it has this value, and it exists
    under its own conditions.

    at: the column of each parameter of several values.
    """
    for other, value in searched.conditions.get(name, {}).items():
        if other in at:
            yield at[other], float(searched.distributions[other].to_internal_repr(value))
        else:
            yield from _conditions(other, searched, at)
