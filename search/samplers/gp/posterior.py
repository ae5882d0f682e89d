"""The belief about every configuration after the trials: mean and standard deviation of its score.

mean(x) = k(x, X) K^-1 y,   variance(x) = signal - k(x, X) K^-1 k(X, x)

Rasmussen and Williams 2006, eq. 2.25 and 2.26; K = signal k(X, X) + noise I, and k(x, X) has the
factor signal as well.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cholesky, solve_triangular

from search.samplers.gp.fit import Parameters
from search.samplers.gp.kernel import Space, matern, squared_distances
from search.samplers.observed import Floats

LEAST_VARIANCE = 1e-12
JITTERS = (0.0, 1e-8, 1e-6, 1e-4)  # added to the diagonal, as shares of it


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """A Gaussian process after some trials.

    scaled: (n, coordinates), the trials in units of the length scales.
    unrooted: (n, n), the inverse of the Cholesky root of K.
    weights: (n,), K^-1 y.
    """

    space: Space
    given: Parameters
    scaled: Floats
    scores: Floats
    unrooted: Floats
    weights: Floats

    @classmethod
    def after(cls, space: Space, given: Parameters, coordinates: Floats, scores: Floats) -> Self:
        """Condition the process on trials, (n, coordinates), and their scores, (n,)."""
        scaled = coordinates / given.lengths[space.owners]
        covariance = given.signal * matern(squared_distances(scaled, scaled))[0]
        covariance.flat[:: len(scaled) + 1] += given.noise
        unrooted = solve_triangular(root_of(covariance), np.eye(len(scaled)), lower=True)
        return cls(
            space=space,
            given=given,
            scaled=scaled,
            scores=scores,
            unrooted=unrooted,
            weights=unrooted.T @ (unrooted @ scores),
        )

    def believing(self, coordinates: Floats) -> "Posterior":
        """Add trials that still run, as if each had the score that is expected of it.

        The mean stays as it is, the deviation around them shrinks: the "Kriging believer" of
        Ginsbourger et al. 2010, "Kriging is well-suited to parallelize optimization". The score to
        improve on must be theirs as well, or the first of them is drawn again and again. To average
        over 16 draws of their scores (Snoek et al. 2012) cost twice as much and was no better: 1.2
        times the regret at 40 trials, four workers, four landscapes with 5 seeds each.
        """
        expected, _ = self.at(coordinates)
        ended = self.scaled * self.given.lengths[self.space.owners]
        every = np.concatenate([ended, coordinates])
        return Posterior.after(
            self.space, self.given, every, np.concatenate([self.scores, expected])
        )

    def at(self, coordinates: Floats) -> tuple[Floats, Floats]:
        """Compute mean and deviation at points, (m, coordinates): (m,) each."""
        scaled = coordinates / self.given.lengths[self.space.owners]
        covariance = self.given.signal * matern(squared_distances(scaled, self.scaled))[0]
        return covariance @ self.weights, self._deviation(covariance @ self.unrooted.T)

    def slopes_at(self, coordinates: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Compute mean and deviation at points, and their derivatives by the coordinates.

        coordinates: (m, coordinates). Returns (m,), (m,), (m, coordinates), (m, coordinates).
        """
        lengths = self.given.lengths[self.space.owners]
        scaled = coordinates / lengths
        values, slopes = matern(squared_distances(scaled, self.scaled))
        covariance, slopes = self.given.signal * values, self.given.signal * slopes
        explained = covariance @ self.unrooted.T
        deviation = self._deviation(explained)
        by_mean = _by_coordinates(slopes * self.weights, scaled, self.scaled)
        by_variance = -2 * _by_coordinates(
            slopes * (explained @ self.unrooted), scaled, self.scaled
        )
        by_deviation = by_variance / (2 * deviation[:, np.newaxis])
        return covariance @ self.weights, deviation, by_mean / lengths, by_deviation / lengths

    def _deviation(self, explained: Floats) -> Floats:
        variance = self.given.signal - np.einsum("ij,ij->i", explained, explained)
        deviation: Floats = np.sqrt(np.maximum(variance, LEAST_VARIANCE))
        return deviation


def root_of(covariance: Floats) -> Floats:
    """Compute the lower Cholesky root, with more on the diagonal where rounding asks for it.

    Raises LinAlgError for a matrix that is no covariance.
    """
    diagonal = float(np.mean(np.diag(covariance)))
    for jitter in JITTERS:
        try:
            root: Floats = cholesky(
                covariance + jitter * diagonal * np.eye(len(covariance)), lower=True
            )
        except LinAlgError:
            continue
        return root
    raise LinAlgError("the covariance of the trials has no Cholesky root")


def _by_coordinates(by_squared: Floats, ones: Floats, others: Floats) -> Floats:
    """Compute sum_b w_ab d|x_a - y_b|^2 / dx_a = 2 sum_b w_ab (x_a - y_b): (m, coordinates)."""
    slopes: Floats = 2 * (by_squared.sum(axis=1, keepdims=True) * ones - by_squared @ others)
    return slopes
