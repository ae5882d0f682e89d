"""The scale of a number's range: plain or logarithmic, with half a step beyond its ends."""

from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution

from search.samplers.observed import Floats

NumberDistribution = FloatDistribution | IntDistribution


def step_of(distribution: NumberDistribution) -> float:
    """Return the distance between neighbouring values, 0 for real numbers."""
    return distribution.step or 0.0


def ends(distribution: NumberDistribution) -> tuple[float, float]:
    """Return the ends of the range on its scale, half a step beyond the outermost values."""
    half = step_of(distribution) / 2
    low, high = distribution.low - half, distribution.high + half
    return float(on_scale(low, distribution)), float(on_scale(high, distribution))


def on_scale(values: Any, distribution: NumberDistribution) -> Any:
    """Return values as places on the scale: their logarithms on a log scale."""
    return np.log(values) if distribution.log else values


def off_scale(places: Floats, distribution: NumberDistribution) -> Floats:
    """Return the values at places of the scale, the nearest that the distribution has."""
    values = np.exp(places) if distribution.log else places
    low, high, step = distribution.low, distribution.high, step_of(distribution)
    if step:
        values = low + np.round((values - low) / step) * step
    # Rounding may leave the range, by the last digit or by a step.
    return np.clip(values, low, high)
