"""Small learning curves, one drawing for each metric or for a few that belong together."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dashboards.analysis.curves.course import Course
from dashboards.analysis.shown_metric import is_share, shown_metric, word
from dashboards.analysis.trials.measures import lower_is_better
from dashboards.live.panels.chart_groups import Curve, groups, known
from dashboards.live.panels.curve_axes import along, length, x_ticks, y_text
from dashboards.live.panels.curve_picture import ALIGNMENTS
from dashboards.marks import paths
from dashboards.marks.scale import Scale
from objectives.contract import HIGH, LOW
from spaces.stored import StoredStudy

HEIGHT, TOP, BOTTOM = 132, 8, 108  # pixels
HALVES = (0.0, 0.5, 1.0)
LETTERS = 13  # pixels, from one line of text to the next


@dataclass(frozen=True, kw_only=True)
class Line:
    """A drawn line; tone is the class of its colour.

    name, values: for the script, which shows the values under the pointer.
    """

    d: str
    tone: str
    title: str
    name: str
    values: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The end of a line, in percent across and pixels down."""

    place: int
    x: float
    y: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Key:
    """A line in words: its shape, its name and its last value; place None is the grey one."""

    place: int | None
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One small drawing.

    is_titled: whether its keys do not name the metrics themselves.
    label: it in a sentence.
    band: the area of the first metric's interval.
    at, begin, end: of the horizontal axis, for the script.
    value_x: of the epoch that gives the trial its value, in percent; None among several trials.
    """

    title: str
    is_titled: bool
    label: str
    lines: Sequence[Line]
    marks: Sequence[Mark]
    keys: Sequence[Key]
    band: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    at: str
    begin: float
    end: float
    value_x: float | None = None
    height: int = HEIGHT
    bottom: int = BOTTOM


def charts(
    stored: StoredStudy, curves: Sequence[Curve], align: str = "epoch", *, together: bool = True
) -> list[Chart]:
    """Draw the curves, one chart for each group of metrics.

    align: what stands under what: "epoch", "share" of the schedule, or "minutes".
    """
    return [
        _Drawing(stored=stored, curves=curves, metrics=metrics, align=align).chart
        for metrics in groups(stored.study, curves, together=together)
    ]


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    stored: StoredStudy
    curves: Sequence[Curve]
    metrics: Sequence[str]
    align: str

    @property
    def chart(self) -> Chart:
        """Draw it."""
        title = word(self.metrics[0]) if len(self.metrics) == 1 else _title(self.metrics)
        keys = list(self._keys())
        said = "; ".join(f"{key.name} {key.value}" for key in keys)
        return Chart(
            title=title,
            is_titled=any(curve.place is not None for curve in self.curves),
            label=f"{title} by {ALIGNMENTS[self.align]}, at the end: {said}",
            lines=list(self._lines()),
            marks=list(self._marks()),
            keys=keys,
            band=self._band(),
            x_ticks=x_ticks(self._x, self.align, HALVES),
            y_ticks=list(self._y_ticks()),
            at=AT[self.align],
            begin=self._x.low,
            end=100.0 if self.align == "share" else self._x.high,
            value_x=round(self._x(at), 2) if (at := self._value_at) else None,
        )

    @property
    def _value_at(self) -> int | None:
        return next((curve.value_epoch for curve in self.curves if curve.value_epoch), None)

    @property
    def _shown(self) -> Iterator[tuple[Curve, str, int | None]]:
        """Yield what is drawn, those in front last: a curve, its metric, its place."""
        for curve in self.curves:
            if curve.is_behind:
                yield curve, self.metrics[0], None
        for at, metric in enumerate(self.metrics):
            for curve in self.curves:
                if not curve.is_behind:
                    yield curve, metric, at if curve.place is None else curve.place

    @cached_property
    def _x(self) -> Scale:
        begin = 1.0 if self.align == "epoch" else 0.0
        end = length([curve.course for curve in self.curves], self.align)
        return Scale(low=begin, high=max(begin, end))

    @cached_property
    def _y(self) -> Scale:
        names = [*self.metrics, *(self.metrics[0] + end for end in (LOW, HIGH) if self._band_of)]
        values = [value for name in names for value in known(self.curves, name)]
        low, high = min(values), max(values)
        first = self.metrics[0]
        is_loss = lower_is_better(self.stored, first) and not is_share(first)
        is_log = is_loss and low > 0 and high > 3 * low
        return Scale(low=low, high=high, begin=BOTTOM, end=TOP, is_log=is_log).padded(0.06)

    @cached_property
    def _band_of(self) -> Course | None:
        """The one trial whose interval is drawn; None among several."""
        own = [curve for curve in self.curves if not curve.is_behind]
        has_it = len(own) == 1 and self.metrics[0] + LOW in own[0].course.values
        return own[0].course if has_it else None

    def _band(self) -> str:
        course = self._band_of
        if course is None:
            return ""
        ends = (course.values[self.metrics[0] + end] for end in (LOW, HIGH))
        across = [self._x(each) for each in along(course, self.align)]
        return paths.band(
            [
                (x, self._y(low), self._y(high))
                for x, low, high in zip(across, *ends, strict=True)
                if low is not None and high is not None
            ]
        )

    def _places(self, curve: Curve, metric: str) -> list[tuple[float, float] | None]:
        across = [self._x(each) for each in along(curve.course, self.align)]
        values = curve.course.values.get(metric, (None,) * len(across))
        return [
            None if value is None else (round(x, 2), self._y.near(value))
            for x, value in zip(across, values, strict=True)
        ]

    def _lines(self) -> Iterator[Line]:
        for curve, metric, place in self._shown:
            if d := paths.line(self._places(curve, metric)):
                tone = "ref" if place is None else f"run s{place % 6 + 1}"
                said = [shown_metric(metric, value) for value in known([curve], metric)]
                yield Line(
                    d=d,
                    tone=tone,
                    title=self._name(curve, metric),
                    name=curve.name or word(metric),
                    values="|".join(said),
                )

    def _marks(self) -> Iterator[Mark]:
        for curve, metric, place in self._shown:
            places = [each for each in self._places(curve, metric) if each]
            if places and place is not None:
                x, y = places[-1]
                yield Mark(place=place, x=x, y=round(y, 1), title=self._name(curve, metric))

    def _keys(self) -> Iterator[Key]:
        """Yield a key for each colour: its newest curve has the value."""
        found: dict[int | None, Key] = {}
        for curve, metric, place in self._shown:
            if values := known([curve], metric):
                name = curve.name if curve.place is not None or curve.is_behind else word(metric)
                found[place] = Key(place=place, name=name, value=shown_metric(metric, values[-1]))
        yield from sorted(found.values(), key=lambda key: (key.place is None, key.place or 0))

    def _name(self, curve: Curve, metric: str) -> str:
        values = known([curve], metric)
        value = shown_metric(metric, values[-1] if values else None)
        return ", ".join(filter(None, [curve.name, f"{metric} {value}"]))

    def _y_ticks(self) -> Iterator[tuple[float, str]]:
        """Yield the ticks of the values; those that would cover the one before are left out."""
        last = math.inf
        for tick in self._y.ticks(4):
            y = self._y(tick.value)
            if last - y >= LETTERS:
                yield round(y, 1), y_text(self.metrics[0], tick)
                last = y


THIN = "\N{NARROW NO-BREAK SPACE}"
AT = {"epoch": "epoch {}", "share": f"{{}}{THIN}% of the schedule", "minutes": "{} min"}


def _title(metrics: Iterable[str]) -> str:
    return ", ".join(map(word, metrics))
