"""The two axes of learning curves: cut where nothing is decided, logarithmic for losses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.curves.course import Course
from dashboards.analysis.shown_metric import is_share
from dashboards.marks.scale import Scale
from dashboards.marks.ticks import Tick, round_ticks

TOP, BOTTOM, HEIGHT = 8, 238, 258  # pixels
DECIDED = 0.86  # this share of the values is in sight; the rest are those of first epochs
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
FAR = 4.0  # running trials further off than so many times the axis stand at its edge


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The axes of one drawing.

    align: what stands under what: shares, epochs or minutes.
    across, down: the ticks of the two axes with their places, in percent and pixels.
    """

    metric: str
    align: str
    x: Scale
    y: Scale
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]

    def across(self, course: Course) -> list[float]:
        """Return the places of a course's epochs, in percent."""
        return [self.x(each) for each in along(course, self.align)]

    def last(self, course: Course) -> tuple[float, float]:
        """Return the place across of the last value of a course, and this value."""
        pairs = zip(self.across(course), course.values[self.metric], strict=True)
        return [(x, value) for x, value in pairs if value is not None][-1]


def axes_of(
    courses: Sequence[Course],
    metric: str,
    align: str,
    *,
    is_lower_better: bool,
    asked: Course | None = None,
) -> Axes | None:
    """Fit the axes to some courses; None where no value is known.

    asked: the one whose end is in sight however far off it is.
    """
    values = sorted(value for course in courses for value in _known(course, metric))
    if not values:
        return None
    scale = _heights(courses, values, metric, is_lower_better=is_lower_better, asked=asked)
    x = Scale(low=0.0, high=length(courses, align))
    return Axes(
        metric=metric,
        align=align,
        x=x,
        y=scale,
        x_ticks=x_ticks(x, align),
        y_ticks=[(round(scale(tick.value), 1), y_text(metric, tick)) for tick in scale.ticks(5)],
    )


def along(course: Course, align: str) -> Sequence[float]:
    """Return the places of a course's epochs: shares of the schedule, epochs or minutes."""
    return {"share": course.shares, "epoch": course.epochs, "minutes": course.minutes}[align]


def _known(course: Course, metric: str) -> list[float]:
    return [value for value in course.values.get(metric, ()) if value is not None]


def _heights(
    courses: Sequence[Course],
    values: Sequence[float],
    metric: str,
    *,
    is_lower_better: bool,
    asked: Course | None,
) -> Scale:
    """Return the scale of the values, the better ones at its good end, the first ones cut off."""
    is_log = is_lower_better and values[0] > 0 and not is_share(metric)
    place = math.ceil(DECIDED * (len(values) - 1))
    low, high = (values[0], values[place]) if is_lower_better else (values[-1 - place], values[-1])
    far = FAR * high if is_log else high + FAR * (high - low)
    near = low - FAR * (high - low)
    for course in courses:
        is_asked = asked is not None and course.number == asked.number
        for last in _known(course, metric)[-1:]:
            if is_asked or near <= last <= far:
                low, high = min(low, last), max(high, last)
    scale = Scale(low=low, high=high, begin=BOTTOM, end=TOP, is_log=is_log)
    return scale.padded(0.07)


def length(courses: Sequence[Course], align: str) -> float:
    """Return the end of the horizontal axis: 1 for shares, else the longest course's."""
    if align == "share":
        return 1.0
    if align == "epoch":
        return max(max(course.planned or 0, course.last_epoch) for course in courses)
    return max((course.minutes[-1] for course in courses if course.minutes), default=1.0) or 1.0


def x_ticks(x: Scale, align: str, shares: Sequence[float] = QUARTERS) -> list[tuple[float, str]]:
    """Return the ticks of the horizontal axis with their places, in percent.

    shares: those of the schedule that get a tick.
    """
    return [(round(x(tick.value), 2), tick.text) for tick in _x_ticks(x, align, shares)]


def y_text(metric: str, tick: Tick) -> str:
    """Return the text of a tick of the vertical axis, with the digits that tell it from others."""
    digits = max(0, len(tick.text.partition(".")[2]) - 2)
    return numbers.percent(tick.value, digits) if is_share(metric) else tick.text


def _x_ticks(x: Scale, align: str, shares: Sequence[float]) -> list[Tick]:
    if align == "share":
        return [Tick(share, numbers.percent(share, 0)) for share in shares]
    unit = " min" if align == "minutes" else ""
    ticks = round_ticks(x.low, x.high, 6)
    if align == "epoch":
        ticks = [Tick(t.value, f"{t.value:.0f}") for t in ticks if t.value == round(t.value)]
    first = "epoch" if align == "epoch" else "0"
    return [Tick(t.value, t.text + unit if t.value else first) for t in ticks]
