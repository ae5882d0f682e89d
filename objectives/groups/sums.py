"""The sums of a validation split by group: all that an interval over whole groups needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from objectives.groups.draws import Grouping, Indices, Numbers

# Losses are rounded to this fraction of a nat, so that sums of them are exact in any order: the
# matrix products of other CPUs, or of other numbers of threads, give the same bits.
_GRAIN = 2.0**-20


@dataclass(frozen=True, kw_only=True)
class GroupSums:
    """The answers of one network to a split's images, added up by group and class.

    groups: the names of G groups, or bundles of them.
    classes: the names of K classes.
    images: (G, K), images of the class in the group.
    right: (G, K), those of them that were classified right.
    losses: (G, K), sum of their losses in nats.
    """

    groups: tuple[str, ...]
    classes: tuple[str, ...]
    images: Numbers
    right: Numbers
    losses: Numbers

    def mean_losses(self, times: Numbers) -> Numbers:
        """Compute the mean loss of an image in each draw (D,).

        times: (D, G), the number of times that each group was drawn.
        """
        losses: Numbers = times @ self.losses.sum(axis=1) / (times @ self.images.sum(axis=1))
        return losses

    def recalls(self, times: Numbers) -> Numbers:
        """Compute each class's recall in each draw (D, K); NaN for a class that is not in it."""
        images = times @ self.images
        right = times @ self.right
        return np.divide(right, images, out=np.full_like(right, np.nan), where=images > 0)

    def balanced_accuracies(self, times: Numbers) -> Numbers:
        """Compute the mean recall of the classes that occur in each draw (D,).

        With a class in 1, 2, 3 or 5 of 27 slides, the intervals held the truth in 72, 85, 93 and
        93 % of 600 simulated splits; without the draws that lack a class, in 37, 71, 84 and 92 %.
        """
        means: Numbers = np.nanmean(self.recalls(times), axis=1)
        return means


def sum_by_group(
    grouping: Grouping,
    classes: Sequence[str],
    *,
    labels: Indices,
    is_right: npt.NDArray[np.bool_],
    losses: Numbers,
) -> GroupSums:
    """Add up a split's images by group and class.

    labels: (N,), positions in the classes.
    is_right: (N,), whether the network's first answer is the image's class.
    losses: (N,), in nats.
    """
    shape = (len(grouping.names), len(classes))
    cells = grouping.of_image * len(classes) + labels

    def added(weights: Numbers | None) -> Numbers:
        counts = np.bincount(cells, weights, minlength=shape[0] * shape[1])
        return counts.reshape(shape).astype(np.float64)

    return GroupSums(
        groups=grouping.names,
        classes=tuple(classes),
        images=added(None),
        right=added(is_right.astype(np.float64)),
        losses=added(rounded(losses)),
    )


def rounded(losses: Numbers) -> Numbers:
    """Round losses to the fraction of a nat that sums of them are exact with."""
    return np.rint(losses / _GRAIN) * _GRAIN
