"""TPE on arrays: the draws of Optuna 5.0's TPESampler, without a Python object per trial.

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4; Watanabe 2023,
arXiv:2304.11127. The good trials make a density l(x), the other trials g(x); of 24 candidates drawn
from l(x), the one with the largest l(x) / g(x) is tried.

The same seed draws the values that `TPESampler(seed=..., group=conditional, n_startup_trials=4)`
draws. On purpose it differs after foreign trials, those that another program wrote into the study:

- One that lacks a parameter makes Optuna draw this parameter apart from then on, in a study without
  conditions. Here the declared parameters are still drawn jointly; the trial is left out.
- A parameter that the study does not declare is not drawn.
- A value outside the declared distribution counts as missing.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.samplers.observed import Floats, Observed
from search.samplers.parzen import ParzenEstimator

# Trials that must have ended before TPE draws. It is asked after eight start-up trials, but some of
# them may have failed or still run.
LEAST_ENDED = 4
CANDIDATES = 24
MOST_GOOD = 25

Rows = NDArray[np.bool_]  # (trials,), whether a trial is meant
Numbers = NDArray[np.intp]


class TPE(BaseSampler):
    """Draws the values of one trial from what the others show."""

    def __init__(
        self,
        observed: Observed,
        space: Mapping[str, BaseDistribution],
        *,
        number: int,
        seed: int,
        conditional: bool,
    ) -> None:
        """Prepare the draw of trial `number`.

        space: the declared parameters.
        conditional: whether some of them exist under conditions only. The joint draw is then one
            draw for each set of parameters that appeared in the same trials.
        """
        self._observed, self._number, self._conditional = observed, number, conditional
        self._space = {name: each for name, each in sorted(space.items()) if not each.single()}
        self._random = np.random.RandomState(seed)
        self._startup = RandomSampler(seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn jointly; none while too few trials have ended."""
        if self._is_starting:
            return {}
        return {name: self._space[name] for group in self._groups for name in group}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw the parameters of `search_space`, as inferred, jointly."""
        drawn: dict[str, Any] = {}
        for group in self._groups if search_space else []:
            drawn |= self._draw(group)
        return drawn

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one parameter alone: uniformly at the start, later one that no ended trial has."""
        if self._is_starting:
            return self._startup.sample_independent(study, trial, param_name, param_distribution)
        return self._draw([param_name])[param_name]

    def _draw(self, names: list[str]) -> dict[str, Any]:
        space = {name: self._space[name] for name in names}
        values = np.stack([self._columns[name] for name in names])
        # A trial that another worker has claimed and not drawn yet has no values.
        has_all = ~np.isnan(values).any(axis=0)
        good, other = (
            ParzenEstimator.around(values[:, rows & has_all], space) for rows in self._split
        )
        candidates = good.draw(self._random, CANDIDATES)
        ratios = good.log_density(candidates) - other.log_density(candidates)
        best = zip(space.items(), candidates[np.argmax(ratios)].tolist(), strict=True)
        return {name: each.to_external_repr(value) for (name, each), value in best}

    @cached_property
    def _is_starting(self) -> bool:
        return int(np.count_nonzero(_ended(self._observed))) < LEAST_ENDED

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        return {
            name: _inside(self._observed.column(name, each), each)
            for name, each in self._space.items()
        }

    @cached_property
    def _groups(self) -> list[list[str]]:
        if not self._conditional:
            return [list(self._space)]
        ended = _ended(self._observed)
        return together({name: ~np.isnan(each[ended]) for name, each in self._columns.items()})

    @cached_property
    def _split(self) -> tuple[Rows, Rows]:
        return split(self._observed, self._number)


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


def split(observed: Observed, number: int) -> tuple[Rows, Rows]:
    """Divide the trials into good ones and others, without trial `number`.

    Of n ended trials the best min(ceil(n / 10), 25) are good ("linear" in Watanabe 2023). Running
    trials are among the others, so that workers spread out. Failed and waiting ones are in neither.
    """
    ended = _ended(observed)
    most = min(math.ceil(0.1 * np.count_nonzero(ended)), MOST_GOOD)
    good = np.zeros(observed.count, dtype=np.bool_)
    good[_from_best(observed)[:most]] = True
    other = (ended | (observed.states == TrialState.RUNNING)) & ~good
    other[number : number + 1] = False  # nothing, where `number` is newer than the arrays
    return good, other


def _from_best(observed: Observed) -> Numbers:
    """Order the ended trials from the best on: complete ones, pruned ones, then infeasible ones.

    Complete ones by value; pruned ones by their last step, the later the better, then by its value;
    infeasible ones, which violate a constraint, by the violation. Equal ones by number.
    """
    sign = -1 if observed.direction == StudyDirection.MAXIMIZE else 1
    is_feasible = ~(observed.violations > 0)
    complete = np.flatnonzero(is_feasible & (observed.states == TrialState.COMPLETE))
    pruned = np.flatnonzero(is_feasible & (observed.states == TrialState.PRUNED))
    infeasible = np.flatnonzero(~is_feasible & _ended(observed))
    last = sign * observed.last_values[pruned]
    last[np.isnan(last) & (observed.last_steps[pruned] >= 0)] = np.inf
    return np.concatenate(
        [
            complete[np.argsort(sign * observed.values[complete], kind="stable")],
            pruned[np.lexsort([last, -observed.last_steps[pruned]])],
            infeasible[np.argsort(observed.violations[infeasible], kind="stable")],
        ]
    )


def _ended(observed: Observed) -> Rows:
    """Mark the trials that TPE learns from at their end; failed ones are not among them."""
    ended: Rows = np.isin(observed.states, (TrialState.COMPLETE, TrialState.PRUNED))
    return ended


def _inside(values: Floats, distribution: BaseDistribution) -> Floats:
    """Replace values outside the distribution by NaN; a trial may be queued with any value."""
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return values
    is_inside = (distribution.low <= values) & (values <= distribution.high)
    return np.where(is_inside, values, np.nan)
