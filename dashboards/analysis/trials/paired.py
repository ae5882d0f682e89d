"""Two trials compared on the same images: their difference, with an interval over whole groups."""

from collections.abc import Callable

import numpy as np

from objectives.groups.draws import Estimate, Numbers, all_draws, bounds
from objectives.groups.sums import GroupSums

# A number of a split in each of its draws (D, groups) -> (D,): `GroupSums.mean_losses`, for one.
Measured = Callable[[GroupSums, Numbers], Numbers]


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

    def differences(times: Numbers) -> Numbers:
        return measured(one, times) - measured(other, times)

    groups = len(one.groups)
    (value,) = differences(np.ones((1, groups))).tolist()
    ends = bounds(differences(all_draws(groups))) if groups > 1 else (np.nan, np.nan)
    return Estimate(value, *ends)


def _have_same_images(one: GroupSums, other: GroupSums) -> bool:
    names = (one.groups, one.classes) == (other.groups, other.classes)
    return names and np.array_equal(one.images, other.images)
