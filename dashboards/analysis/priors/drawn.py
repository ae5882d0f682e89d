"""The values that each prior of a space draws, in numbers and as a strip of characters.

A number's strip has one cell for each part of its range, on its scale; that of a whole number
with few values has one cell for each value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dashboards.analysis.numbers import exact
from dashboards.analysis.priors.declared import condition_of, prior_of, values_of
from spaces.params import Choice, Float, Int, Param, Toggle, drawing_scale
from spaces.priors import quantile_unit, share_below
from spaces.space import Space

CELLS = 24
MIDDLE = (0.1, 0.9)
BLOCKS = "▁▂▃▄▅▆▇█"
FULL_DENSITY = 2.2  # a density of this height fills a drawing; that of an even prior is 1


@dataclass(frozen=True, kw_only=True)
class PriorDraws:
    """The draws from the prior of one parameter.

    values, prior, when: its range, its prior and its condition in words; when is "" for always.
    middle: the ends of the middle 80 % of the draws of a number; None for options.
    density: of each cell, over that of even draws; () for options.
    shares: of the draws, by option as it is shown; empty for a number.
    """

    name: str
    values: str
    prior: str
    when: str
    middle: tuple[float, float] | None = None
    density: Sequence[float] = ()
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def strip(self) -> str:
        """The density as block characters."""
        tallest = max(FULL_DENSITY, *self.density, 0.0)
        last = len(BLOCKS) - 1
        return "".join(BLOCKS[round(last * each / tallest)] for each in self.density)


def prior_draws(space: Space) -> list[PriorDraws]:
    """Describe what is drawn from the prior of each parameter, in drawing order."""
    return [_draws(param) for param in space]


def _draws(param: Param) -> PriorDraws:
    number = param if isinstance(param, Float | Int) else None
    return PriorDraws(
        name=param.name,
        values=values_of(param),
        prior=prior_of(param),
        when=condition_of(param),
        middle=_middle(number) if number else None,
        density=list(_density(number)) if number else (),
        shares=dict(_shares(param)) if isinstance(param, Choice | Toggle) else {},
    )


def _shares(param: Choice | Toggle) -> Iterator[tuple[str, float]]:
    weights = param.weights
    for option, weight in zip(param.corners(), weights, strict=True):
        yield exact(option), weight / sum(weights)


def _middle(param: Float | Int) -> tuple[float, float]:
    low, high = (drawing_scale(param).from_unit(_quantile(param, share)) for share in MIDDLE)
    return (round(low), round(high)) if isinstance(param, Int) else (low, high)


def _density(param: Float | Int) -> Iterator[float]:
    """Yield the mean density of each cell."""
    edges = list(_edges(param))
    for left, right in pairwise(edges):
        yield (_below(param, right) - _below(param, left)) / (right - left)


def _edges(param: Float | Int) -> Iterator[float]:
    """Yield the positions in the range between which the cells lie."""
    if isinstance(param, Int) and param.high - param.low < CELLS:
        scale = drawing_scale(param)
        for value in range(param.low, param.high + 2):
            yield scale.to_unit(value - 0.5)
    elif param.low == param.high:
        yield from (0.0, 1.0)
    else:
        yield from (cell / CELLS for cell in range(CELLS + 1))


def _below(param: Float | Int, unit: float) -> float:
    if param.prior is None:
        return unit
    return share_below(
        drawing_scale(param).to_unit(param.prior.center), param.prior.confidence, unit
    )


def _quantile(param: Float | Int, share: float) -> float:
    if param.prior is None:
        return share
    return quantile_unit(
        drawing_scale(param).to_unit(param.prior.center), param.prior.confidence, share
    )
