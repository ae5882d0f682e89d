"""The order of the ended trials, from the best to the worst, and what each kind of end shows.

- complete: its value.
- pruned: that it was worse than others. The later it was stopped, the better it was.
- diverged (stored as pruned, its last value is NaN) and out of memory (stored as pruned, with a
  violated constraint): that its region is to be avoided. In `from_best`, which is Optuna's order, a
  diverged trial stands among the pruned ones by its epoch; in `scores` it is as bad as the worst.
- failed by an error of code or data, killed or stalled: nothing about its configuration.
- enqueued: as much as any other, by its end. Only the prior's record leaves it out, but for the
  first trial, which is the prior's most probable configuration.
- running: nothing yet; TPE takes it for a bad one, so that workers spread out.
"""

import math

import numpy as np
from numpy.typing import NDArray
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.samplers.normal import ndtri
from search.samplers.observed import Floats, Observed

MOST_GOOD = 25

Rows = NDArray[np.bool_]  # (trials,), whether a trial is meant
Numbers = NDArray[np.intp]


def ended(observed: Observed) -> Rows:
    """Mark the trials that show something at their end; failed ones are not among them."""
    states = observed.states
    rows: Rows = (states == TrialState.COMPLETE) | (states == TrialState.PRUNED)
    return rows


def count_ended(observed: Observed) -> int:
    """Count the trials that show something at their end."""
    return int(np.count_nonzero(ended(observed)))


def split(observed: Observed, number: int) -> tuple[Rows, Rows]:
    """Divide the trials into good ones and others, without trial `number`.

    Of n ended trials the best min(ceil(n / 10), 25) are good ("linear" in Watanabe 2023). Running
    trials are among the others, so that workers spread out. Failed and waiting ones are in neither.
    """
    over = ended(observed)
    most = min(math.ceil(0.1 * np.count_nonzero(over)), MOST_GOOD)
    good = np.zeros(observed.count, dtype=np.bool_)
    good[from_best(observed)[:most]] = True
    other = (over | (observed.states == TrialState.RUNNING)) & ~good
    other[number : number + 1] = False  # nothing, where `number` is newer than the arrays
    return good, other


def from_best(observed: Observed) -> Numbers:
    """Order the ended trials from the best on: complete ones, pruned ones, then infeasible ones.

    Complete ones by value; pruned ones by their last step, the later the better, then by its value;
    infeasible ones, which violate a constraint, by the violation. Equal ones by number.
    """
    sign = _sign(observed)
    is_feasible = ~(observed.violations > 0)
    complete = np.flatnonzero(is_feasible & (observed.states == TrialState.COMPLETE))
    pruned = np.flatnonzero(is_feasible & (observed.states == TrialState.PRUNED))
    infeasible = np.flatnonzero(~is_feasible & ended(observed))
    last = sign * observed.last_values[pruned]
    last[np.isnan(last) & (observed.last_steps[pruned] >= 0)] = np.inf
    return np.concatenate(
        [
            complete[np.argsort(sign * observed.values[complete], kind="stable")],
            pruned[np.lexsort([last, -observed.last_steps[pruned]])],
            infeasible[np.argsort(observed.violations[infeasible], kind="stable")],
        ]
    )


def scores(observed: Observed) -> tuple[Numbers, Floats]:
    """Return the ended trials, in the order of their numbers, and the score of each: (n,), (n,).

    A score is the normal quantile of the trial's rank, the larger the better: whatever the metric,
    they are as normal as ranks can be. Equal trials have one score.
    """
    numbers = np.flatnonzero(ended(observed))
    keys = _keys(observed, numbers)
    order = np.lexsort(keys[::-1])
    is_new = np.any(keys[:, order[1:]] != keys[:, order[:-1]], axis=0)
    groups = np.cumsum(np.append(0, is_new))[: len(order)]  # of equal trials, from the best on
    counts = np.bincount(groups)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of equal ones, 1 for the best
    score = np.empty(len(numbers))
    score[order] = -ndtri((ranks[groups] - 0.5) / max(1, len(numbers)))
    return numbers, score


def _keys(observed: Observed, numbers: Numbers) -> Floats:
    """Return keys that sort the trials from best to worst, the first one first: (3, n)."""
    sign, is_complete = _sign(observed), observed.states[numbers] == TrialState.COMPLETE
    steps = np.where(is_complete, 0, -observed.last_steps[numbers])
    ends = np.where(is_complete, observed.values[numbers], observed.last_values[numbers])
    keys = np.stack([np.where(is_complete, 0.0, 1.0), steps, sign * ends])
    keys[:, (observed.violations[numbers] > 0) | np.isnan(ends)] = 2  # as bad as the worst
    return keys


def _sign(observed: Observed) -> int:
    return -1 if observed.direction == StudyDirection.MAXIMIZE else 1
