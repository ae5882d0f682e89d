"""The covariance of two configurations: Matern 5/2 with a length scale for each parameter.

k(x, y) = (1 + s + s^2 / 3) exp(-s),   s^2 = 5 sum over parameters j of  d_j(x, y)^2 / length_j^2

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", eq. 4.17 and 5.2. d_j is the
distance of two places of a number, and 0 or 1 for equal and different options (Hamming). To a
parameter that does not exist in one of two configurations it is about 1, in both of them 0.

All d_j are distances in a Euclidean space, so that the kernel is positive definite: an option is a
corner of a simplex, and a number with a condition has a second coordinate, which says whether it
exists (Hutter and Osborne 2013, arXiv:1310.5738, bend the line to an arc to the same end).
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from search.samplers.gp.encoding import Encoding
from search.samplers.observed import Floats

# A number that does not exist stands beside the middle of its scale: .75 + (x - .5)^2 from x.
BESIDE = math.sqrt(0.75)
CORNER = math.sqrt(0.5)
PLACES = ("owners", "besides", "corners", "firsts", "others")

Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Space:
    """The Euclidean space in which points have the distances above.

    owners: (coordinates,), the column that each coordinate belongs to; the place of a number is the
        first one of its column.
    besides: the coordinates that say whether a number with a condition exists.
    corners, options: the coordinates of options, and the option of each. The options of a choice
        stand side by side.
    firsts: for each choice, where its first option stands among them.
    others: for each choice, the coordinate that all its other options share.
    """

    encoding: Encoding
    owners: Places
    besides: Places
    corners: Places
    options: Floats
    firsts: Places
    others: Places

    @classmethod
    def around(cls, encoding: Encoding, points: Floats) -> Self:
        """Build the space for distances to `points`, whatever the number of options."""
        found: dict[str, list[int]] = {name: [] for name in PLACES}
        options: list[Floats] = [np.empty(0)]
        for at in range(len(encoding.columns)):
            first, size = len(found["owners"]), 1
            if encoding.is_choice[at]:
                options.append(np.unique(points[:, at]))  # NaN is once among them
                found["firsts"].append(len(found["corners"]))
                size += len(options[-1])
                found["corners"] += range(first, first + size - 1)
                found["others"].append(first + size - 1)
            elif encoding.is_conditional[at]:
                size += 1
                found["besides"].append(first + 1)
            found["owners"] += [at] * size
        places = {name: np.array(each, dtype=np.intp) for name, each in found.items()}
        return cls(encoding=encoding, options=np.concatenate(options), **places)

    def embed(self, points: Floats) -> Floats:
        """Return the coordinates of points: (points, coordinates).

        An option is a corner of a simplex of edge 1; the unlisted ones of a choice share a corner.
        """
        values = points.take(self.owners, axis=1)
        is_missing = np.isnan(values)
        coordinates: Floats = np.where(is_missing, 0.5, values)
        coordinates[:, self.besides] = BESIDE * ~is_missing[:, self.besides]
        if len(self.firsts):
            is_option = values[:, self.corners] == self.options
            is_option |= is_missing[:, self.corners] & np.isnan(self.options)
            is_other = ~np.logical_or.reduceat(is_option, self.firsts, axis=1)
            coordinates[:, self.corners] = CORNER * is_option
            coordinates[:, self.others] = CORNER * is_other
        return coordinates


def squared_distances(ones: Floats, others: Floats) -> Floats:
    """Compute |x - y|^2 between points, (n, coordinates) and (m, coordinates): (n, m)."""
    squared: Floats = ones @ others.T
    squared *= -2
    squared += np.einsum("ij,ij->i", ones, ones)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", others, others)
    return np.maximum(squared, 0, out=squared)


def matern(squared: Floats) -> tuple[Floats, Floats]:
    """Compute the kernel at squared distances r^2 in length scales, and its derivative by them.

    dk / d(r^2) = -5/6 (1 + s) exp(-s),   s^2 = 5 r^2

    squared: is overwritten: new arrays would take longer than the arithmetic.
    """
    slopes = 5 * squared
    np.sqrt(slopes, out=slopes)
    fading = -slopes
    np.exp(fading, out=fading)
    slopes += 1
    slopes *= fading
    squared *= 5 / 3
    squared *= fading
    squared += slopes
    slopes *= -5 / 6
    return squared, slopes
