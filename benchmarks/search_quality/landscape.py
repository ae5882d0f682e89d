"""A landscape: a search space whose best configuration and usual loss are known."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from statistics import median

from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.priors import Scale
from spaces.space import Space, TrialConfig, is_active

USUAL_OF = 512  # uniform draws whose median is a regret of 1


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """A task for a sampler: a space without priors, and the loss of every configuration.

    best: a configuration with the smallest loss.
    true_loss: the loss of a configuration, without noise.
    noise: the standard deviation of a measured loss, as a share of the usual regret.
    """

    name: str
    space: Space
    best: TrialConfig
    true_loss: Callable[[Mapping[str, Value]], float]
    noise: float = 0.0

    @cached_property
    def least(self) -> float:
        """The loss of the best configuration."""
        return self.true_loss(self.best)

    @cached_property
    def usual(self) -> float:
        """The median loss of uniform draws, above the least one."""
        random = Random(self.name)
        draws = (draw_config(self.space, random) for _ in range(USUAL_OF))
        return median(self.true_loss(each) for each in draws) - self.least

    def regret(self, config: Mapping[str, Value]) -> float:
        """Return how far a configuration is from the best one: 0 is the best, 1 a usual one."""
        return (self.true_loss(config) - self.least) / self.usual

    def measure(self, config: Mapping[str, Value], seed: str) -> float:
        """Return the regret with noise, which is the same for the same seed."""
        return self.regret(config) + self.noise * Random(seed).gauss(0, 1)


def draw_config(space: Space, random: Random) -> TrialConfig:
    """Draw every parameter that exists, uniformly on its scale."""
    drawn: TrialConfig = {}
    for param in space:
        if is_active(param, drawn):
            drawn[param.name] = _draw(param, random)
    return drawn


def draw_inside(param: Param, random: Random) -> Value:
    """Draw a value away from the ends: numbers from the middle three fifths of their range."""
    if isinstance(param, Float | Int):
        return value_at(param, random.uniform(0.2, 0.8))
    return _draw(param, random)


def without_prior(param: Param) -> Param:
    """Return the parameter with a uniform prior."""
    match param:
        case Float() | Int():
            return replace(param, prior=None)
        case Choice():
            return replace(param, options=param.choices)
        case Toggle():
            return replace(param, prior=0.5)
    raise TypeError(f"{param!r} is no parameter of a space")


def position(param: Param, value: Value) -> float:
    """Return the place of a value in its range, 0 to 1; options stand in equal distances."""
    match param:
        case Float() | Int():
            return Scale(param.low, param.high, param.log).to_unit(float(str(value)))
        case Choice():
            return param.choices.index(value) / max(1, len(param.choices) - 1)
        case Toggle():
            return float(bool(value))
    raise TypeError(f"{param!r} is no parameter of a space")


def value_at(param: Float | Int, unit: float) -> float | int:
    """Return the value at a place of the range, to the next whole number for whole ones."""
    value = Scale(param.low, param.high, param.log).from_unit(unit)
    if isinstance(param, Float):
        return value
    return min(max(round(value), param.low), param.high)


def offsets(
    space: Space, best: Mapping[str, Value]
) -> Callable[[Mapping[str, Value]], dict[str, float]]:
    """Return a function: how far each value of a configuration is from the best one's place."""
    places = {each.name: position(each, best[each.name]) for each in space if each.name in best}

    def away(config: Mapping[str, Value]) -> dict[str, float]:
        return {
            each.name: position(each, config[each.name]) - places.get(each.name, math.nan)
            for each in space
            if each.name in config
        }

    return away


def _draw(param: Param, random: Random) -> Value:
    match param:
        case Float():
            return value_at(param, random.random())
        case Int():
            # Half a step beyond both ends; otherwise rounding would halve the share of the ends.
            scale = Scale(param.low - 0.5, param.high + 0.5, param.log)
            return min(max(round(scale.from_unit(random.random())), param.low), param.high)
        case Choice():
            return random.choice(param.choices)
        case Toggle():
            return random.random() < 0.5
    raise TypeError(f"{param!r} is no parameter of a space")
