"""Trials as lines through one axis per hyperparameter, the last axis the metric."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboards.analysis.numbers import NONE, metric, short
from dashboards.report.lines import TrialLine
from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.priors import Scale
from spaces.study import Study

MOST = 600  # trials; half of them the best, half an even selection of the others
ABSENT = -0.08  # the position of a trial without the parameter, below the axis
DIGITS = 3  # of a position: a thousandth of the axis is less than a pixel
CUT = 90  # the percentile of the worst values from which they stand at the end of the axis
NUMBER_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis.

    places: of each trial on it, from 0 at its low end to 1, or ABSENT.
    ticks: places with their text.
    """

    name: str
    places: Sequence[float]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """The lines of some finished trials, the worst first, so that the best are drawn over them.

    left_out: how many finished trials are not among them.
    """

    numbers: Sequence[int]
    axes: Sequence[Axis]
    left_out: int


def parallel_lines(study: Study, finished: Sequence[TrialLine]) -> Parallel | None:
    """Place the finished trials on the axes; None below two of them."""
    if len(finished) < 2 or not len(study.space):
        return None
    sign = 1 if study.direction == "minimize" else -1
    ranked = sorted(finished, key=lambda trial: sign * (trial.value or 0.0))
    shown = _selected(ranked)[::-1]
    axes = [_axis(param, shown) for param in study.space]
    return Parallel(
        numbers=[trial.number for trial in shown],
        axes=[*axes, _value_axis(study, shown)],
        left_out=len(finished) - len(shown),
    )


def _selected(ranked: Sequence[TrialLine]) -> Sequence[TrialLine]:
    if len(ranked) <= MOST:
        return ranked
    best, others = ranked[: MOST // 2], ranked[MOST // 2 :]
    places = np.linspace(0, len(others) - 1, MOST - len(best)).round().astype(int)
    return [*best, *(others[place] for place in places)]


def _axis(param: Param, shown: Sequence[TrialLine]) -> Axis:
    drawn = [trial.params.get(param.name) for trial in shown]
    is_there = [param.name in trial.params for trial in shown]
    match param:
        case Float() | Int():
            scale = Scale(param.low, param.high, param.log)
            ticks = _number_ticks(scale, is_whole=isinstance(param, Int))
            places = [_on_scale(scale, value) for value in drawn]
        case Choice() | Toggle():
            options = param.corners()
            ticks = [(_nth(at, len(options)), short(option)) for at, option in enumerate(options)]
            places = [_nth(_index(options, value), len(options)) for value in drawn]
        case _:
            raise TypeError(f"no axis for a {type(param).__name__}; add one here")
    kept = [place if there else ABSENT for place, there in zip(places, is_there, strict=True)]
    absent = [] if all(is_there) else [(ABSENT, NONE)]
    return Axis(name=param.name, places=kept, ticks=[*absent, *ticks])


def _value_axis(study: Study, shown: Sequence[TrialLine]) -> Axis:
    """Return the axis of the metric, the best at its top and the worst tenth at its bottom."""
    values = np.array([trial.value for trial in shown], dtype=float)
    is_lower_better = study.direction == "minimize"
    best = values.min() if is_lower_better else values.max()
    worst = float(np.percentile(values, CUT if is_lower_better else 100 - CUT))
    span = worst - best or 1.0
    places = np.clip(1 - (values - best) / span, 0, 1).round(DIGITS)
    at = np.linspace(0, 1, NUMBER_TICKS)
    cut = "≥ " if is_lower_better else "≤ "
    texts = [metric(float(worst - place * span)) for place in at]
    is_cut = worst != (values.max() if is_lower_better else values.min())
    texts[0] = cut + texts[0] if is_cut else texts[0]
    return Axis(
        name=study.metric,
        places=places.tolist(),
        ticks=list(zip(at.tolist(), texts, strict=True)),
    )


def _number_ticks(scale: Scale, is_whole: bool) -> list[tuple[float, str]]:
    """Return both ends and up to three values between them, at their places."""
    values = [scale.from_unit(at) for at in np.linspace(0, 1, NUMBER_TICKS)]
    if is_whole:
        values = sorted({float(round(value)) for value in values})
    texts = [short(int(value) if is_whole else float(value)) for value in values]
    return [(scale.to_unit(value), text) for value, text in zip(values, texts, strict=True)]


def _on_scale(scale: Scale, value: Value) -> float:
    """Return the place of a number; one of another program beyond an end stands at that end."""
    if not isinstance(value, int | float):
        return ABSENT
    nearest = min(max(float(value), scale.low), scale.high)
    return round(scale.to_unit(nearest), DIGITS)


def _index(options: Sequence[Value], value: Value) -> int:
    return options.index(value) if value in options else 0


def _nth(at: int, count: int) -> float:
    return round(at / (count - 1), DIGITS) if count > 1 else 0.5
