"""Two contenders on the same tasks and seeds, compared: a ratio with its bootstrap interval."""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.figures import Middle
from search.samplers.observed import Floats

# A hundredth of a usual regret is less than the noise of training: all below it are equally good.
FLOOR = 0.01
TARGET_TRIALS = 40  # the base's median best after so many trials is the target
RESAMPLED = 1000
# (resamples, seeds) of both contenders' courses of one landscape -> (resamples,) of the log ratio
Compare = Callable[[Floats, Floats], Floats]
Tasks = Mapping[str, tuple[Floats, Floats]]


def regret_ratio(tasks: Tasks, trials: int) -> Middle:
    """Compare the median regrets after so many trials; the mean over landscapes is geometric.

    tasks: landscape -> regrets of ours and of the base, both (seeds, trials), seeds in one order.
    """

    def compare(ours: Floats, base: Floats) -> Floats:
        return _log_median(ours[..., trials - 1]) - _log_median(base[..., trials - 1])

    return _resampled(tasks, compare)


def trials_ratio(tasks: Tasks) -> Middle:
    """Compare the median numbers of trials to the base's median best after 40 trials.

    A search that does not get there counts with one trial more than it had.
    """

    def compare(ours: Floats, base: Floats) -> Floats:
        target = np.median(base[..., TARGET_TRIALS - 1], axis=1)[:, np.newaxis, np.newaxis]
        return _log_trials(ours, target) - _log_trials(base, target)

    return _resampled(tasks, compare)


def by_landscape(tasks: Tasks, measure: Callable[[Tasks], Middle]) -> dict[str, float]:
    """Return the ratio on each landscape alone."""
    return {name: measure({name: pair}).median for name, pair in tasks.items()}


def _resampled(tasks: Tasks, compare: Compare) -> Middle:
    """Return the ratio of the seeds as they are, between the 2.5th and 97.5th of resampled ones."""
    seeds = min(len(ours) for ours, _ in tasks.values())
    random = np.random.default_rng(0)
    measured, resampled = [], []
    for ours, base in tasks.values():
        chosen = random.integers(seeds, size=(RESAMPLED, seeds))  # the same seeds on both sides
        measured.append(compare(ours[np.newaxis], base[np.newaxis])[0])
        resampled.append(compare(ours[chosen], base[chosen]))
    low, high = np.exp(np.quantile(np.mean(resampled, axis=0), [0.025, 0.975]))
    middle = float(np.exp(np.mean(measured)))
    return Middle(median=middle, low=float(low), high=float(high), of=seeds)


def _log_median(regrets: Floats) -> Floats:
    median: Floats = np.median(regrets, axis=1)
    return np.log(np.maximum(median, FLOOR))


def _log_trials(regrets: Floats, target: Floats) -> Floats:
    """Compute the log of the median number of trials until the regret is at most the target."""
    reached = regrets <= np.maximum(target, FLOOR)
    first = np.argmax(reached, axis=-1) + 1.0
    first[~reached.any(axis=-1)] = regrets.shape[-1] + 1
    return np.log(np.median(first, axis=1))
