"""TPE on arrays: the draws of Optuna 5.0's TPESampler, without a Python object per trial.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023,
arXiv:2304.11127. The good trials make a density l(x), the other trials g(x); of 24 candidates drawn
from l(x), the one with the largest l(x) / g(x) is tried.

Without beliefs the same seed draws the values that `TPESampler(seed=..., group=conditional,
n_startup_trials=4)` draws. On purpose it differs after foreign trials, those that another program
wrote into the study:

- One that lacks a parameter makes Optuna draw this parameter apart from then on, in a study without
  conditions. Here the declared parameters are still drawn jointly; the trial is left out.
- A parameter that the study does not declare is not drawn.
- A value outside the declared distribution counts as missing.

Beliefs make the last kernel of l(x), which counts as up to three trials while few have ended, and
they are added to the log of l(x) / g(x) with a weight that falls.
"""

from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from search.samplers.model import DrawRequest
from search.samplers.observed import Floats
from search.samplers.parzen import ParzenEstimator
from search.samplers.ranks import Rows, count_ended, ended, split
from search.samplers.searched import Configuration

CANDIDATES = 24
# A belief is worth so many good trials until so many trials have ended, then fewer, at least one.
KERNELS_OF_A_BELIEF, UNTIL = 3.0, 20
LEAST_BONUS = -4.0  # log of a density ratio; below it a belief excludes nothing further


class TPE:
    """Draws the values of one trial from what the others show; a `Model`."""

    name = "tpe"

    def __init__(self, request: DrawRequest) -> None:
        self._request, self._observed, self._searched = request, request.observed, request.searched
        self._beliefs, self._open = request.beliefs, request.searched.open
        self._random = np.random.RandomState(request.seed)

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw a configuration jointly.

        With conditions the joint draw is one draw for each set of parameters that appeared in the
        same trials. A parameter that no ended trial has is drawn alone.
        """
        drawn: Configuration = {}
        for group in self._groups:
            drawn |= self._draw(group, given)
        return self._searched.whole(
            {**drawn, **given}, lambda name, _: self._draw([name], {})[name]
        )

    def _draw(self, names: list[str], given: Mapping[str, Any]) -> Configuration:
        space = {name: self._open[name] for name in names}
        good, other = self._densities(names)
        candidates = good.draw(self._random, CANDIDATES, self._places_of(names, given))
        worth = good.log_density(candidates) - other.log_density(candidates)
        if self._beliefs:
            worth += self._request.weight * self._bonus(names, candidates)
        best = zip(space.items(), candidates[np.argmax(worth)].tolist(), strict=True)
        return {name: each.to_external_repr(value) for (name, each), value in best}

    def _densities(self, names: list[str]) -> tuple[ParzenEstimator, ParzenEstimator]:
        space = {name: self._open[name] for name in names}
        values = np.stack([self._columns[name] for name in names])
        # A trial that another worker has claimed and not drawn yet has no values.
        has_all = ~np.isnan(values).any(axis=0)
        good, other = (values[:, rows & has_all] for rows in self._split)
        believed = {name: self._beliefs[name] for name in names if name in self._beliefs}
        return (
            ParzenEstimator.around(good, space, believed, self._kernels_of_a_belief),
            ParzenEstimator.around(other, space),
        )

    def _places_of(self, names: list[str], given: Mapping[str, Any]) -> dict[int, float]:
        """Return the given values as Optuna stores them, by column; none outside its range."""
        places: dict[int, float] = {}
        for place, name in enumerate(names):
            if name in given:
                value = np.array([self._open[name].to_internal_repr(given[name])])
                if not np.isnan(inside(value, self._open[name])).any():
                    places[place] = float(value[0])
        return places

    def _bonus(self, names: list[str], candidates: Floats) -> Floats:
        """Compute the log of the beliefs' density at candidates, over uniform ones: (size,)."""
        bonus = np.zeros(len(candidates))
        for place, name in enumerate(names):
            if name in self._beliefs:
                ratio = self._beliefs[name].log_ratio(candidates[:, place])
                bonus += np.maximum(ratio, LEAST_BONUS)
        return bonus

    @cached_property
    def _kernels_of_a_belief(self) -> float:
        over = max(1, count_ended(self._observed))
        return max(1.0, KERNELS_OF_A_BELIEF * min(1.0, UNTIL / over))

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        return {
            name: inside(self._observed.column(name, each), each)
            for name, each in self._open.items()
        }

    @cached_property
    def _groups(self) -> list[list[str]]:
        if not self._searched.conditions:
            return [list(self._open)] if self._open else []
        over = ended(self._observed)
        return together({name: ~np.isnan(each[over]) for name, each in self._columns.items()})

    @cached_property
    def _split(self) -> tuple[Rows, Rows]:
        return split(self._observed, self._request.number)


def together(appears: Mapping[str, Rows]) -> list[list[str]]:
    """Group the parameters that appear in exactly the same trials; those in none are left out.

    Groups stand in the order in which Optuna splits them apart: at the first trial that has one of
    two but not the other, the one that it has comes first. Inside a group, the given order is kept.

    appears: name -> the ended trials that have the parameter, in the order of numbers.
    """

    def trials_of(name: str) -> bytes:
        return appears[name].tobytes()  # in the order of bytes, 1 comes after 0

    shown = [name for name, rows in appears.items() if rows.any()]
    ordered = sorted(shown, key=trials_of, reverse=True)
    return [list(names) for _, names in groupby(ordered, key=trials_of)]


def inside(values: Floats, distribution: BaseDistribution) -> Floats:
    """Replace values outside the distribution by NaN; a trial may be queued with any value."""
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return values
    is_inside = (distribution.low <= values) & (values <= distribution.high)
    return np.where(is_inside, values, np.nan)
