"""Two trials compared on the same images: their difference, with an interval over whole groups."""

from collections.abc import Callable

import numpy as np

from objectives.groups.draws import Estimate, Numbers, all_draws, bounds
from objectives.groups.sums import GroupSums

# A number of a split in each of its draws (D, groups) -> (D,): `GroupSums.mean_losses`, for one.
Measured = Callable[[GroupSums, Numbers], Numbers]


def estimate(sums: GroupSums, measured: Measured = GroupSums.mean_losses) -> Estimate:
    """Compute a number of one trial, with its 95 % interval."""
    return _estimate(len(sums.groups), lambda times: measured(sums, times))


def paired_difference(
    one: GroupSums, other: GroupSums, measured: Measured = GroupSums.mean_losses
) -> Estimate | None:
    """Compute the number of `one` minus that of `other`, with its 95 % interval.

    Both are taken from the same draws, so what is hard for both trials cancels out: the interval
    of the difference is narrower than those of the two suggest. The draws are fixed. None where
    the groups of the two, or their numbers of images by class, differ.
    """
    if not _have_same_images(one, other):
        return None
    return _estimate(len(one.groups), lambda times: measured(one, times) - measured(other, times))


def _have_same_images(one: GroupSums, other: GroupSums) -> bool:
    names = (one.groups, one.classes) == (other.groups, other.classes)
    return names and np.array_equal(one.images, other.images)


def _estimate(groups: int, measured: Callable[[Numbers], Numbers]) -> Estimate:
    (value,) = measured(np.ones((1, groups))).tolist()
    ends = bounds(measured(all_draws(groups))) if groups > 1 else (np.nan, np.nan)
    return Estimate(value, *ends)
