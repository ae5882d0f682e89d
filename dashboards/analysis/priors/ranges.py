"""The prior of a number, judged by the best quarter of the finished trials that have it.

- prior holds: there is a prior, and the median of the best quarter lies in its central 80 %.
- prior wrong: it lies outside, and the prior's center outside the bracket, which reaches from the
  10 % to the 90 % quantile of the best quarter.
- narrowed: the prior is even, the bracket is shorter than half of the range, and as many values
  drawn evenly would lie so close together in fewer than one of 20 cases.
- undecided: anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboards.analysis.priors.ruling import RARE, Floats, Ranked, Ruling
from spaces.params import Float, Int
from spaces.priors import Scale, density_unit, quantile_unit

BRACKET = (10, 50, 90)  # percentiles of the best quarter
CENTRAL = (0.1, 0.9)  # of the prior
HALF = 0.5  # of the range
MOST_TICKS, MOST_POINTS = 60, 30
DENSITY_POINTS = 41


@dataclass(frozen=True, kw_only=True)
class NumberEvidence:
    """The evidence on a number.

    low, high, log: the searched range.
    density: of the prior at DENSITY_POINTS even places of the range, on its scale; 1 is even.
    center: the prior's most probable value; None for an even prior.
    seen: values of finished trials, in their order; of more than MOST_TICKS an even choice.
    best: trial and value of the best quarter, best first, MOST_POINTS at most.
    bracket: the 10 %, 50 % and 90 % quantiles of the best quarter, on the scale.
    """

    low: float
    high: float
    log: bool
    density: Sequence[float]
    center: float | None
    seen: Sequence[float]
    best: Sequence[tuple[int, float]]
    best_count: int
    bracket: tuple[float, float, float]
    ruling: Ruling


def judge_number(param: Float | Int, ranked: Ranked) -> NumberEvidence:
    """Judge the prior of a number."""
    scale = Scale(param.low, param.high, param.log)
    best_values = ranked.values[: ranked.best]
    best = np.array([scale.to_unit(value) for value in best_values.tolist()])
    low, median, high = np.percentile(best, BRACKET).tolist()
    places = np.linspace(0, 1, DENSITY_POINTS).tolist()
    shown = min(ranked.best, MOST_POINTS)
    numbers, values = ranked.numbers[:shown].tolist(), ranked.values[:shown].tolist()
    return NumberEvidence(
        low=param.low,
        high=param.high,
        log=param.log,
        density=[_density(param, scale, place) for place in places],
        center=param.prior.center if param.prior else None,
        seen=_few(np.sort(ranked.values), MOST_TICKS),
        best=list(zip(numbers, values, strict=True)),
        best_count=ranked.best,
        bracket=(scale.from_unit(low), scale.from_unit(median), scale.from_unit(high)),
        ruling=_rule_number(param, best_values, best),
    )


def is_rarely_so_close(param: Float | Int, values: Floats) -> bool:
    """Say whether as many even draws from the range would rarely lie so close together.

    A tenth of the values is left out at either end. The distance between the i-th and the j-th of n
    even draws has the distribution Beta(j - i, n - j + i + 1) (David and Nagaraja 2003, 2.5). A
    whole number takes up half a step on either side, since a few equal ones are no rare draw.
    """
    from scipy.special import betainc  # scipy.stats takes a second to load

    out, count = len(values) // 10, len(values)
    apart = count - 1 - 2 * out
    first, *_, last = np.sort(values)[out : count - out].tolist()
    half_step = 0.5 if isinstance(param, Int) else 0.0
    scale = Scale(param.low - half_step, param.high + half_step, param.log)
    distance = scale.to_unit(last + half_step) - scale.to_unit(first - half_step)
    return bool(betainc(apart, count + 1 - apart, distance) < RARE)


def _density(param: Float | Int, scale: Scale, place: float) -> float:
    if param.prior is None:
        return 1.0
    return density_unit(scale.to_unit(param.prior.center), param.prior.confidence, place)


def _rule_number(param: Float | Int, values: Floats, units: Floats) -> Ruling:
    """Judge by the best quarter: its values, and their positions in the range."""
    low, median, high = np.percentile(units, BRACKET).tolist()
    if param.prior is None:
        is_narrow = high - low < HALF and param.low < param.high
        return (
            Ruling.NARROWED if is_narrow and is_rarely_so_close(param, values) else Ruling.UNDECIDED
        )
    center = Scale(param.low, param.high, param.log).to_unit(param.prior.center)
    first, last = (quantile_unit(center, param.prior.confidence, share) for share in CENTRAL)
    if first <= median <= last:
        return Ruling.HOLDS
    return Ruling.UNDECIDED if low <= center <= high else Ruling.WRONG


def _few(values: Floats, most: int) -> list[float]:
    """Choose at most `most` of some sorted values, evenly."""
    if len(values) > most:
        values = values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]
    chosen: list[float] = values.tolist()
    return chosen
