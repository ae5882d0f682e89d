"""Priors: where good values of a parameter are expected before any trial has run."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from spaces.declared import check_types
from spaces.errors import StudyError, closest

Confidence = Literal["low", "medium", "high"]

# Standard deviations on the unit interval; NePS uses the same ones for these three words.
UNIT_SPREAD: dict[str, float] = {"low": 0.5, "medium": 0.25, "high": 0.125}
STEPS = 1000  # of the range, in which a part of it is measured


@dataclass(frozen=True)
class Prior:
    """A normal distribution on the parameter's own scale, cut to its range.

    center: the most probable value.
    confidence: how narrow it is.
    """

    center: float
    confidence: Confidence = "medium"

    def __post_init__(self) -> None:
        if isinstance(self.center, str):
            raise StudyError(
                f"Prior: center is {self.center!r}",
                "give it a number; options have weights, Choice(NAME, {OPTION: WEIGHT})",
            )
        check_types(self)
        if self.confidence not in tuple(UNIT_SPREAD):
            near = closest(str(self.confidence).lower(), UNIT_SPREAD)
            raise StudyError(
                f"prior confidence {self.confidence!r} is unknown",
                f"did you mean {near!r}?" if near else "use low, medium or high",
            )


@dataclass(frozen=True)
class Scale:
    """Maps a range of values to the unit interval and back, linearly or by the logarithm."""

    low: float
    high: float
    log: bool = False

    def to_unit(self, value: float) -> float:
        """Return the position of `value` in the range: 0 at the low end, 1 at the high end."""
        if self.high == self.low:
            return 0.0
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, unit: float) -> float:
        """Return the value at position `unit`, never outside the range."""
        if self.log:
            value = self.low * math.pow(self.high / self.low, unit)
        else:
            value = self.low + unit * (self.high - self.low)
        return min(max(value, self.low), self.high)


def quantile_unit(center_unit: float, confidence: Confidence, share: float) -> float:
    """Return the position below which this share of that distribution lies."""
    bell, below, upto = _cut(center_unit, confidence)
    # inv_cdf is undefined at 0 and 1, which a draw of exactly 0.0 could reach.
    share = min(max(below + share * (upto - below), 1e-12), 1 - 1e-12)
    return min(max(bell.inv_cdf(share), 0.0), 1.0)


def share_below(center_unit: float, confidence: Confidence, unit: float) -> float:
    """Return the share of that distribution that lies below a position."""
    bell, below, upto = _cut(center_unit, confidence)
    return (bell.cdf(unit) - below) / (upto - below)


def narrowest_part(center_unit: float, confidence: Confidence, share: float) -> tuple[float, float]:
    """Return the ends of the smallest part of the range that has this share of the draws."""

    def ends(steps: int) -> tuple[float, float]:
        return max(0.0, center_unit - steps / STEPS), min(1.0, center_unit + steps / STEPS)

    def held(steps: int) -> float:
        low, high = (share_below(center_unit, confidence, end) for end in ends(steps))
        return high - low

    return ends(bisect_left(range(STEPS), share, key=held))


def density_unit(center_unit: float, confidence: Confidence, unit: float) -> float:
    """Return the density of that distribution at a position; a uniform one has 1 everywhere."""
    bell, below, upto = _cut(center_unit, confidence)
    return bell.pdf(unit) / (upto - below)


def _cut(center_unit: float, confidence: Confidence) -> tuple[NormalDist, float, float]:
    """Return the normal distribution, and its shares below the two ends of the unit interval."""
    bell = NormalDist(center_unit, UNIT_SPREAD[confidence])
    return bell, bell.cdf(0.0), bell.cdf(1.0)
