"""Kernels: a density around each observed value of one parameter, and the prior.

Watanabe 2023, arXiv:2304.11127, section 3 on kernel functions; the constants are those of Optuna
5.0. Values are as Optuna stores them: a choice is the index of its option. n observed values make
n + 1 kernels. The last one is the prior: a belief about good values, or a kernel that covers the
whole range.
"""

import math
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search.samplers.beliefs import Belief, Bell, Shares
from search.samplers.normal import ndtr, ndtri
from search.samplers.observed import Floats
from search.samplers.scales import NumberDistribution, ends, off_scale, on_scale, step_of

Indices = NDArray[np.intp]


class Kernels(Protocol):
    """The kernels of one parameter.

    is_discrete: whether draws often have the same value.
    """

    @property
    def is_discrete(self) -> bool: ...

    def log_density(self, value: float) -> Floats:
        """Compute the log density of a value under each kernel: (kernels,)."""
        ...

    def draw(self, chosen: Indices, quantiles: Floats) -> Floats:
        """Draw a value from each chosen kernel, at its quantile in [0, 1): (draws,).

        chosen, quantiles: (draws,).
        """
        ...


def kernels_around(
    observed: Floats, distribution: BaseDistribution, belief: Belief | None = None
) -> Kernels:
    """Build the kernels around the observed values of a parameter: (n,), in the order of trials.

    belief: makes the last kernel; None for the one that covers the whole range.
    """
    bell = belief if isinstance(belief, Bell) else None
    match distribution:
        case CategoricalDistribution():
            believed = belief.shares if isinstance(belief, Shares) else None
            return ChoiceKernels.around(observed, len(distribution.choices), believed)
        case FloatDistribution(step=None):
            return ContinuousKernels.around(observed, distribution, bell)
        case FloatDistribution() | IntDistribution():
            return SteppedKernels.around(observed, distribution, bell)
    raise TypeError(f"{distribution!r} is not a distribution of Optuna 5")


@dataclass(frozen=True)
class ChoiceKernels:
    """Kernels on options: most of the probability is on the observed option.

    shares: (options + 1, options), probabilities, of sum 1 in each row; row i belongs to every
        kernel around option i, the last row to the prior.
    rows: (kernels,), the row of each kernel.
    """

    shares: Floats
    rows: Indices
    is_discrete = True

    @classmethod
    def around(cls, observed: Floats, options: int, believed: Floats | None = None) -> Self:
        """Count 1 for the observed option and 1 / kernels for every option, scaled to sum 1.

        believed: (options,), the shares of the prior; None for equal ones.
        """
        shares = np.full((options + 1, options), 1 / (len(observed) + 1))
        shares[:options] += np.eye(options)
        shares /= shares.sum(axis=1, keepdims=True)
        if believed is not None:
            shares[options] = believed
        return cls(shares, np.append(observed.astype(np.intp), options))

    def log_density(self, value: float) -> Floats:
        """Compute the log probability of an option under each kernel: (kernels,)."""
        by_row: Floats = np.log(self.shares[:, int(value)])
        return by_row[self.rows]

    def draw(self, chosen: Indices, quantiles: Floats) -> Floats:
        """Draw an option from each chosen kernel, the one in whose share the quantile lies."""
        upto = np.cumsum(self.shares[self.rows[chosen]], axis=1)
        upto[:, -1] = 1  # not .9999, which a quantile could exceed
        drawn: Floats = np.sum(upto < quantiles[:, np.newaxis], axis=1).astype(np.float64)
        return drawn


@dataclass(frozen=True)
class ContinuousKernels:
    """Normal kernels on real numbers, or on their logarithms, cut to the range.

    constants: (kernels,), the part of the log density that is the same for every value.
    """

    distribution: NumberDistribution
    normals: "Normals"
    constants: Floats
    is_discrete = False

    @classmethod
    def around(
        cls, observed: Floats, distribution: NumberDistribution, bell: Bell | None = None
    ) -> Self:
        """Center a kernel at each observed value."""
        means, (low, high) = on_scale(observed, distribution), ends(distribution)
        order = np.argsort(means)  # of equal means, the sort decides which gets which width
        widths = np.empty_like(means)
        widths[order] = bandwidths(means[order], low, high)
        normals = Normals.around(means, widths, (low, high), bell)
        constants = -normals.log_inside() - np.log(normals.widths * math.sqrt(2 * math.pi))
        return cls(distribution, normals, constants)

    def log_density(self, value: float) -> Floats:
        """Compute the log density under each kernel, with respect to the logarithm on log scales.

        log N(x; mean, width) - log(mass inside the range)
        """
        density: Floats = on_scale(value, self.distribution) - self.normals.means
        density /= self.normals.widths
        density *= density
        density *= -0.5
        density += self.constants
        return density

    def draw(self, chosen: Indices, quantiles: Floats) -> Floats:
        """Draw a value from each chosen kernel."""
        return off_scale(self.normals.draw(chosen, quantiles), self.distribution)


@dataclass(frozen=True, kw_only=True)
class SteppedKernels:
    """Normal kernels on numbers with a step: a value has the mass within half a step of it.

    normals: without repetition; values repeat, and with them their kernels.
    log_inside: (normals,), the log of each normal's mass inside the range.
    rows: (kernels,), the normal of each kernel.
    """

    distribution: NumberDistribution
    normals: "Normals"
    log_inside: Floats
    rows: Indices
    is_discrete = True

    @classmethod
    def around(
        cls, observed: Floats, distribution: NumberDistribution, bell: Bell | None = None
    ) -> Self:
        """Center a kernel at each observed value."""
        means, (low, high) = on_scale(observed, distribution), ends(distribution)
        order = np.argsort(means)  # as above
        means = means[order]
        widths = bandwidths(means, low, high)
        # In ascending order, equal kernels are neighbours.
        is_new = (np.diff(means, prepend=np.nan) != 0) | (np.diff(widths, prepend=np.nan) != 0)
        rows = np.empty_like(order)
        rows[order] = np.cumsum(is_new) - 1
        normals = Normals.around(means[is_new], widths[is_new], (low, high), bell)
        return cls(
            distribution=distribution,
            normals=normals,
            log_inside=normals.log_inside(),
            rows=np.append(rows, len(normals.means) - 1),
        )

    def log_density(self, value: float) -> Floats:
        """Compute the log probability of a value under each kernel: (kernels,)."""
        half = step_of(self.distribution) / 2
        left = on_scale(value - half, self.distribution)
        right = on_scale(value + half, self.distribution)
        return (self.normals.log_mass(left, right) - self.log_inside)[self.rows]

    def draw(self, chosen: Indices, quantiles: Floats) -> Floats:
        """Draw a value from each chosen kernel, rounded to a step."""
        return off_scale(self.normals.draw(self.rows[chosen], quantiles), self.distribution)


@dataclass(frozen=True, kw_only=True)
class Normals:
    """Normal distributions on a parameter's scale, cut to its range.

    means, widths: (normals,); a width is a standard deviation.
    low, high: the ends of the range, between which all means lie.
    """

    means: Floats
    widths: Floats
    low: float
    high: float

    @classmethod
    def around(
        cls, means: Floats, widths: Floats, ends: tuple[float, float], bell: Bell | None
    ) -> Self:
        """Append the prior: the bell; without one, in the middle of the range, as wide as it."""
        low, high = ends
        mean = low + bell.center * (high - low) if bell else 0.5 * (low + high)
        width = bell.spread * (high - low) if bell else high - low
        return cls(
            means=np.append(means, mean),
            widths=np.append(widths, width),
            low=low,
            high=high,
        )

    def log_inside(self) -> Floats:
        """Compute the log of each normal's mass inside the range: (normals,)."""
        return self.log_mass(self.low, self.high)

    def log_mass(self, left: float, right: float) -> Floats:
        """Compute the log of each normal's mass in [left, right], without the cut: (normals,).

        -inf stands for a mass below 1e-308, which adds nothing to a mixture with the prior.
        """
        from_left, to_right = (left - self.means) / self.widths, (right - self.means) / self.widths
        # Mirror an interval right of the mean: only the left tail has digits for small masses.
        lower, upper = np.minimum(from_left, -to_right), np.minimum(to_right, -from_left)
        with np.errstate(divide="ignore"):
            mass: Floats = np.log(ndtr(upper) - ndtr(lower))
        return mass

    def draw(self, chosen: Indices, quantiles: Floats) -> Floats:
        """Return the point at its quantile of each chosen normal: (draws,)."""
        means, widths = self.means[chosen], self.widths[chosen]
        below, upto = ndtr((self.low - means) / widths), ndtr((self.high - means) / widths)
        points: Floats = means + widths * ndtri(below + quantiles * (upto - below))
        return points


def bandwidths(means: Floats, low: float, high: float) -> Floats:
    """Compute the width of the kernel at each mean, its distance to the farther neighbour: (n,).

    The outermost means have one neighbour, a single mean has the ends of the range. Widths are kept
    between range / min(100, n + 2), the "magic clip", and the range.

    means: (n,), ascending, in [low, high].
    """
    gaps = np.diff(means, prepend=low, append=high)
    widths = np.maximum(gaps[:-1], gaps[1:])
    if len(means) >= 2:
        widths[0], widths[-1] = gaps[1], gaps[-2]
    return np.clip(widths, (high - low) / min(100, len(means) + 2), high - low)
