"""Length scales, signal and noise that explain the scores best: the maximum a posteriori.

log p = log N(scores; 0, K) + log prior,   K = signal k + noise I

Rasmussen and Williams 2006, eq. 5.8 and 5.9, with normal priors on the logarithms. That of a length
scale follows Hvarfner et al. 2024, arXiv:2402.02229, section 4: it grows with the root of the
number of parameters, for in many dimensions all points are far apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from search.samplers.gp.kernel import Space, matern, squared_distances
from search.samplers.observed import Floats

# Beyond log(d) / 2. Hvarfner's density, as a function of the logarithm, is a normal one around
# sqrt 2 - 3 = -1.6, as wide as sqrt 3; it finds short lengths, and no noise, in pure noise.
# Regret at 40 trials over TPE's on six landscapes, 8 seeds each: .31 with it, .25 with spread 1 and
# noise of spread 2 instead of 1, .19 around -1 as well, and half as much again around -.5.
LENGTH, LENGTH_SPREAD = -1.0, 1.0
SIGNAL, SIGNAL_SPREAD = 0.0, 0.5
NOISE, NOISE_SPREAD = -4.0, 2.0
BOUNDS_LENGTH, BOUNDS_SIGNAL, BOUNDS_NOISE = (-4.0, 4.0), (-3.0, 3.0), (-13.0, 1.0)
STARTS = ((0.0, -4.0), (-1.0, -2.0), (1.0, -6.0))  # log length beyond the prior's, log noise
MOST_STEPS = 60
FEW = 100  # trials up to which the search for the maximum starts twice


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters of the process.

    lengths: (columns,), in units of places.
    signal: the variance of the scores that configurations explain.
    noise: the variance that they do not explain.
    """

    lengths: Floats
    signal: float
    noise: float


def fit(space: Space, coordinates: Floats, scores: Floats) -> Parameters:
    """Find the most probable parameters.

    coordinates: (n, coordinates), the trials in `space`.
    scores: (n,), of mean about 0 and variance about 1.
    """
    evidence = Evidence(space, coordinates, scores)
    starts = sorted(evidence.starts(), key=lambda start: evidence.loss(start)[0])
    found = [
        minimize(
            evidence.loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=evidence.bounds(),
            options={"maxiter": MOST_STEPS},
        )
        for start in starts[: 2 if len(scores) <= FEW else 1]
    ]
    return evidence.parameters(min(found, key=lambda each: each.fun).x)


class Evidence:
    """The evidence of trials for parameters, given as logarithms: lengths, signal, noise.

    means, spreads: of their normal prior.
    """

    def __init__(self, space: Space, coordinates: Floats, scores: Floats) -> None:
        self._owners, self._coordinates, self._scores = space.owners, coordinates, scores
        columns = len(space.encoding.columns)
        length = LENGTH + 0.5 * math.log(columns)
        self.means = np.append(np.full(columns, length), [SIGNAL, NOISE])
        self.spreads = np.append(np.full(columns, LENGTH_SPREAD), [SIGNAL_SPREAD, NOISE_SPREAD])

    def starts(self) -> Sequence[Floats]:
        """Return the points from which the search for the maximum may start."""
        return [np.append(self.means[:-2] + beyond, [SIGNAL, noise]) for beyond, noise in STARTS]

    def bounds(self) -> list[tuple[float, float]]:
        """Return the least and the largest value of each logarithm."""
        return [BOUNDS_LENGTH] * (len(self.means) - 2) + [BOUNDS_SIGNAL, BOUNDS_NOISE]

    def parameters(self, logarithms: Floats) -> Parameters:
        """Return the parameters that have these logarithms."""
        *lengths, signal, noise = np.exp(logarithms).tolist()
        return Parameters(lengths=np.array(lengths), signal=signal, noise=noise)

    def loss(self, logarithms: Floats) -> tuple[float, Floats]:
        """Compute -log p, up to a constant, and its gradient."""
        given = self.parameters(logarithms)
        scaled = self._coordinates / given.lengths[self._owners]
        values, slopes = matern(squared_distances(scaled, scaled))
        diagonal = np.diag_indices(len(scaled))
        covariance = np.multiply(given.signal, values, order="F")  # so that LAPACK works in place
        covariance[diagonal] += given.noise
        root, failed = lapack.dpotrf(covariance, lower=True, overwrite_a=True)
        if failed:  # a wall: the search goes back
            return 1e12, np.zeros_like(logarithms)
        explained, _ = lapack.dpotrs(root, self._scores, lower=True)
        half_log_determinant = np.log(root[diagonal]).sum()
        lower, _ = lapack.dpotri(root, lower=True, overwrite_c=True)  # half of the inverse
        by_covariance = lower + lower.T
        by_covariance[diagonal] = lower[diagonal]
        by_covariance -= np.outer(explained, explained)
        by_covariance *= 0.5
        off = (logarithms - self.means) / self.spreads
        loss = 0.5 * self._scores @ explained + half_log_determinant + 0.5 * off @ off
        gradient = off / self.spreads
        gradient[:-2] += self._by_lengths(by_covariance * given.signal * slopes, scaled)
        gradient[-2] += given.signal * np.vdot(by_covariance, values)
        gradient[-1] += given.noise * np.trace(by_covariance)
        return float(loss), gradient

    def _by_lengths(self, by_squared: Floats, scaled: Floats) -> Floats:
        """Compute the derivative by log lengths from that by squared distances.

        d r_j^2 / d log length_j = -2 r_j^2, and the sum over pairs of w_ab (x_a - x_b)^2 is
        2 (sum_a w_a. x_a^2 - x w x).
        """
        moments = by_squared.sum(axis=1) @ (scaled * scaled)
        moments -= np.einsum("ij,ij->j", scaled, by_squared @ scaled)
        by_column = np.zeros(len(self.means) - 2)
        np.add.at(by_column, self._owners, -4 * moments)
        return by_column
