"""The scores that the process learns from: distances among good trials, ranks among the others.

The better half of the completed trials keep the distances of their values. All others, pruned and
infeasible ones among them, have the normal score of their rank (search/samplers/ranks.py): how bad
a diverged trial was shows nothing about the good region, and a pruned one has no value at all. This
is the half-rank warping of Vizier's Gaussian process bandit (Song et al. 2024, arXiv:2408.11527,
output warping). Regret at 40 trials over that of TPE, on four landscapes: .76 with it, 1.05 with
the values of all completed trials, 1.34 with ranks alone.
"""

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.samplers import ranks
from search.samplers.observed import Floats, Observed
from search.samplers.ranks import Numbers, Rows


def scores(observed: Observed, is_learned: Rows) -> tuple[Numbers, Floats]:
    """Return the ended trials among some, in the order of their numbers, and their scores: (n,).

    The larger the better, of mean 0 and variance 1; all 0 where no trial differs.
    """
    numbers, by_rank = ranks.scores(observed)
    numbers, by_rank = numbers[is_learned[numbers]], by_rank[is_learned[numbers]]
    mixed = by_rank.copy()
    good = _better_half(observed, numbers, by_rank)
    if len(good):
        # Both are measured from the worst of the good ones, at which they meet.
        above = _above_worst(observed, numbers[good])
        rise = by_rank[good] - by_rank[good].min()
        if above.any() and rise.any():
            stretch = np.sqrt(np.mean(rise**2) / np.mean(above**2))
            mixed[good] = by_rank[good].min() + stretch * above
    return numbers, _standardised(mixed)


def _better_half(observed: Observed, numbers: Numbers, by_rank: Floats) -> Numbers:
    """Return the places of the better half of the completed trials among `numbers`."""
    is_completed = observed.states[numbers] == TrialState.COMPLETE
    is_completed &= ~(observed.violations[numbers] > 0) & ~np.isnan(observed.values[numbers])
    completed = np.flatnonzero(is_completed)
    order = np.argsort(-by_rank[completed], kind="stable")
    return completed[order[: (len(completed) + 1) // 2]]


def _above_worst(observed: Observed, numbers: Numbers) -> Floats:
    """Return how much better each trial's value is than the worst of them, in an unknown unit.

    An infinite value counts as the largest or the smallest of the finite ones.
    """
    values = observed.values[numbers]
    finite = values[np.isfinite(values)]
    if not finite.any():
        return np.zeros_like(values)
    # First the unit: squares and differences of very large values are infinite.
    values = np.clip(values, finite.min(), finite.max()) / np.abs(finite).max()
    is_less_better = observed.direction == StudyDirection.MINIMIZE
    above: Floats = values.max() - values if is_less_better else values - values.min()
    return above


def _standardised(values: Floats) -> Floats:
    if len(values) == 0 or np.ptp(values) == 0:
        return np.zeros_like(values)
    standardised: Floats = (values - values.mean()) / values.std()
    return standardised
