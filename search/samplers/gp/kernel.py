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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from search.samplers.gp.encoding import Encoding
from search.samplers.observed import Floats

# A number that does not exist stands beside the middle of its scale: .75 + (x - .5)^2 from x.
BESIDE = math.sqrt(0.75)


@dataclass(frozen=True)
class Space:
    """The Euclidean space in which points have the distances above.

    options: for each choice, the options with a coordinate of their own; the others share one.
    owners: (coordinates,), the column that each coordinate belongs to; the place of a number is the
        first one of its column.
    """

    encoding: Encoding
    options: Mapping[int, Floats]
    owners: NDArray[np.intp]

    @classmethod
    def around(cls, encoding: Encoding, points: Floats) -> Self:
        """Build the space for distances to `points`, whatever the number of options."""
        options: dict[int, Floats] = {}
        owners: list[int] = []
        for at in range(len(encoding.columns)):
            if encoding.is_choice[at]:
                options[at] = np.unique(points[:, at])  # NaN is once among them
            sizes = len(options[at]) + 1 if at in options else 1 + int(encoding.is_conditional[at])
            owners += [at] * sizes
        return cls(encoding, options, np.array(owners, dtype=np.intp))

    def embed(self, points: Floats) -> Floats:
        """Return the coordinates of points: (points, coordinates)."""
        parts = []
        for at, column in enumerate(points.T):
            if at in self.options:
                parts.append(_corners(column, self.options[at]))
            elif self.encoding.is_conditional[at]:
                exists = ~np.isnan(column)
                parts.append(np.stack([np.where(exists, column, 0.5), BESIDE * exists], axis=1))
            else:
                parts.append(column[:, np.newaxis])
        return np.concatenate(parts, axis=1)


def _corners(column: Floats, options: Floats) -> Floats:
    """Return the corner of a simplex of edge 1 for each option; the unlisted ones share the last.

    column: (points,). Returns (points, options + 1).
    """
    places = column[:, np.newaxis]
    is_option = (places == options) | (np.isnan(places) & np.isnan(options))
    is_other = ~is_option.any(axis=1, keepdims=True)
    corners: Floats = np.concatenate([is_option, is_other], axis=1) * math.sqrt(0.5)
    return corners


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
    """
    s = np.sqrt(5 * squared)
    fading = np.exp(-s)
    slopes: Floats = (1 + s) * fading
    values: Floats = slopes + (5 / 3) * squared * fading
    slopes *= -5 / 6
    return values, slopes
