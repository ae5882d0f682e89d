"""The configuration that is most worth trying: from the best of many candidates, step by step.

Numbers follow the slope of the worth, choices and short ranges try every other value in turn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from search.samplers.gp.acquisition import Acquisition
from search.samplers.gp.encoding import Bools
from search.samplers.observed import Floats

CLIMBS, ROUNDS, MOST_STEPS, MOST_LOOKS = 5, 4, 30, 40
EVERY = 32  # a range of more values is climbed along its scale
LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class Climber:
    """Finds points of large worth near others.

    held: places that stay as they are, by column.
    known: (k, columns), tried points; a choice of very many options tries theirs alone.
    """

    acquisition: Acquisition
    known: Floats
    held: Mapping[int, float] = field(default_factory=dict)

    def ranked(self, candidates: Floats) -> Floats:
        """Return the points climbed from the best candidates and the candidates, the best first.

        candidates: (m, columns). Returns (more than m, columns), NaN for what does not exist.
        """
        for column, place in self.held.items():
            candidates[:, column] = place
        starts = candidates[_from_best(self._worth(candidates))[:CLIMBS]]
        every = np.concatenate([[self.climb(start) for start in starts], candidates])
        ranked: Floats = self.acquisition.encoding.masked(every[_from_best(self._worth(every))])
        return ranked

    def climb(self, point: Floats) -> Floats:
        """Return a point from which no step leads to a larger worth, or few do."""
        worth = -np.inf
        for _ in range(ROUNDS):
            point, climbed = self._step(self._slide(point))
            if climbed <= worth + LEAST_GAIN:
                break
            worth = climbed
        return point

    def _slide(self, point: Floats) -> Floats:
        """Follow the slope along the numbers, the other columns held."""
        numbers = np.flatnonzero(self._exists(point) & self._is_smooth)
        if not len(numbers):
            return point
        lengths = self.acquisition.posterior.given.lengths[numbers]

        def loss(scaled: Floats) -> tuple[float, Floats]:
            moved = self._moved(point, numbers, scaled * lengths)
            worth, slopes = self.acquisition.slopes_at(self._masked(moved))
            return -worth, -slopes[numbers] * lengths

        # In units of the length scales the worth is about as steep along each number.
        found = minimize(
            loss,
            point[numbers] / lengths,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1 / length) for length in lengths],
            options={"maxiter": MOST_STEPS, "maxfun": MOST_LOOKS},
        )
        moved = self._moved(point, numbers, np.clip(found.x * lengths, 0, 1))
        slid: Floats = self.acquisition.encoding.snapped(moved[np.newaxis])[0]
        return slid

    def _step(self, point: Floats) -> tuple[Floats, float]:
        """Return the best of a point and those that differ in one column, and its worth."""
        points = np.stack([point, *self._changed(point)])
        worth = self._worth(points)
        best = int(np.argmax(worth))
        return points[best], float(worth[best])

    def _changed(self, point: Floats) -> Iterator[Floats]:
        for at in np.flatnonzero(self._exists(point) & self._has_steps).tolist():
            for place in self._others(at, float(point[at])):
                changed = point.copy()
                changed[at] = place
                yield changed

    def _others(self, at: int, place: float) -> Floats:
        """Return the values of a column that a step may lead to."""
        column = self.acquisition.encoding.columns[at]
        if column.is_choice and column.size > EVERY:
            known = self.known[:, at]
            return np.unique(known[~np.isnan(known) & (known != place)])
        if column.size > EVERY:
            return column.neighbours(place)
        grid = column.grid()
        others: Floats = grid[grid != place]
        return others

    @cached_property
    def _is_smooth(self) -> Bools:
        columns = self.acquisition.encoding.columns
        smooth = [not each.is_choice and not 0 < each.size <= EVERY for each in columns]
        return np.array(smooth, dtype=np.bool_) & self._is_free

    @cached_property
    def _has_steps(self) -> Bools:
        sizes = [column.size for column in self.acquisition.encoding.columns]
        return (np.array(sizes) > 0) & self._is_free

    @cached_property
    def _is_free(self) -> Bools:
        columns = range(len(self.acquisition.encoding.columns))
        return np.array([column not in self.held for column in columns], dtype=np.bool_)

    def _exists(self, point: Floats) -> Bools:
        return ~np.isnan(self._masked(point))

    def _masked(self, point: Floats) -> Floats:
        masked: Floats = self.acquisition.encoding.masked(point[np.newaxis])[0]
        return masked

    def _worth(self, points: Floats) -> Floats:
        return self.acquisition.at(self.acquisition.encoding.masked(points))

    def _moved(self, point: Floats, numbers: NDArray[np.intp], places: Floats) -> Floats:
        moved = point.copy()
        moved[numbers] = places
        return moved


def _from_best(worth: Floats) -> NDArray[np.intp]:
    return np.argsort(-worth, kind="stable")
