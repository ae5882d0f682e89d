"""The learning curves: of the running trials in colour, against the best and the middle half."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dashboards.analysis.curves.course import GRID, Course
from dashboards.analysis.curves.limits import Limit
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_metric, word
from dashboards.analysis.trials.measures import lower_is_better
from dashboards.live.panels.curve_axes import Axes, axes_of
from dashboards.live.panels.curve_picture import ALIGNMENTS, Picture
from dashboards.live.view import ALIGNED, View
from dashboards.marks import paths
from dashboards.marks.scale import spread

HEIGHT = 258
LABEL_GAP = 16  # pixels between two labels
AT = {"share": "at {} % of the schedule", "epoch": "until epoch {}", "minutes": "until minute {}"}
TABS = 4  # metrics in sight; the others are behind them


@dataclass(frozen=True)
class Tab:
    """A choice: its words, its address, and whether it is the present one."""

    text: str
    href: str
    is_on: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """A drawn curve; tone is the class of its colour.

    name, values: for the script, which shows the values under the pointer: the trial, and for each
        place of the line its epoch with its value; "" for the curves in grey.
    """

    number: int
    d: str
    tone: str
    title: str
    name: str = ""
    values: str = ""


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a running curve, in percent across and pixels down, with its label's height.

    place: of its colour and shape; None for one of the best.
    """

    number: int
    place: int | None
    x: float
    y: float
    label_y: float
    text: str
    sub: str
    title: str


@dataclass(frozen=True)
class Row:
    """One curve in numbers."""

    name: str
    epoch: str
    value: str


@dataclass(frozen=True)
class Choices:
    """The choices of a reader: metrics in sight, those behind them, and alignments."""

    metrics: Sequence[Tab]
    more: Sequence[Tab]
    alignments: Sequence[Tab]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The panel of learning curves, ready to be drawn.

    empty: why there is nothing to draw; "" where there is.
    label: the drawing in a sentence.
    at: the place of the pointer in words, with {} for the number.
    limit_word, best_word: what the dashed line and the grey ones are; "" for none.
    """

    choices: Choices
    empty: str = ""
    height: int = HEIGHT
    label: str = ""
    at: str = ""
    axes: Axes | None = None
    lines: Sequence[Line] = ()
    ends: Sequence[End] = ()
    band: str = ""
    limit: str = ""
    limit_word: str = ""
    note: str = ""
    best_word: str = ""
    rows: Sequence[Row] = ()


def curves(overview: Overview, view: View) -> Curves:
    """Build the panel of learning curves."""
    courses = overview.courses
    own = overview.study.metric
    metric = view.metric if view.metric in courses.metrics else own
    asked = None if view.t is None else courses.asked.get(view.t)
    lower = lower_is_better(overview.stored, metric)
    picture = Picture(
        courses=courses, asked=asked, metric=metric, align=view.align, is_lower_better=lower
    )
    choices = _choices(courses.metrics, view, own=own, chosen=metric)
    axes = axes_of(picture.shown, metric, view.align, is_lower_better=lower, asked=asked)
    if axes is None:
        return Curves(choices=choices, empty=_nothing(overview))
    return _drawn(overview, picture, axes, choices)


def _choices(metrics: Sequence[str], view: View, *, own: str, chosen: str) -> Choices:
    tabs = [
        Tab(word(name), view.link(metric="" if name == own else name), name == chosen)
        for name in metrics
    ]
    aligned = [Tab(ALIGNMENTS[each], view.link(align=each), each == view.align) for each in ALIGNED]
    behind = tabs[TABS:]
    first = [*tabs[:TABS], *(tab for tab in behind if tab.is_on)]
    return Choices(first, [tab for tab in behind if not tab.is_on], aligned)


def _drawn(overview: Overview, picture: Picture, axes: Axes, choices: Choices) -> Curves:
    is_own = picture.metric == overview.study.metric
    is_shares = picture.align == "share"
    limit = picture.courses.limit if is_own and is_shares else Limit()
    return Curves(
        choices=choices,
        label=picture.sentence,
        at=AT[picture.align],
        axes=axes,
        lines=list(_lines(picture, axes)),
        ends=_ends(picture, axes),
        band=_band(picture, axes) if is_shares else "",
        limit=paths.line(
            None if value is None else (axes.x(share), axes.y.near(value))
            for share, value in limit.places
        ),
        limit_word=f"pruned {'above' if picture.is_lower_better else 'below'} this{limit.where}",
        note=_note(overview, picture),
        best_word=_best_word(len(picture.best)),
        rows=[_row(picture, course) for course in picture.shown],
    )


def _lines(picture: Picture, axes: Axes) -> Iterator[Line]:
    """Yield the curves, those in front last."""
    asked = picture.asked.number if picture.asked else None
    for course in reversed(picture.best):
        tone = "best" if course is picture.best[0] else "ref"
        yield _line(picture, axes, course, "asked" if course.number == asked else tone)
    for course in picture.running:
        yield _line(picture, axes, course, f"run s{course.place % 6 + 1}")
    for course in picture.others:
        yield _line(picture, axes, course, "asked")


def _line(picture: Picture, axes: Axes, course: Course, tone: str) -> Line:
    values = course.values[picture.metric]
    places = zip(axes.across(course), values, strict=True)
    d = paths.line(None if v is None else (x, axes.y.near(v)) for x, v in places)
    line = Line(number=course.number, d=d, tone=tone, title=_title(picture, course))
    if tone == "ref":
        return line
    told = [
        f"{epoch}/{course.planned or '?'} · {shown_metric(picture.metric, value)}"
        for epoch, value in zip(course.epochs, values, strict=True)
        if value is not None
    ]
    return replace(line, name=f"#{course.number}", values="|".join(told))


def _ends(picture: Picture, axes: Axes) -> list[End]:
    """Return the marks at the ends, and their labels moved apart."""
    marked: dict[int, tuple[Course, int | None]] = {}
    for course in picture.running:
        marked[course.number] = course, course.place
    for course in (*picture.best[:1], *_asked_best(picture), *picture.others):
        marked.setdefault(course.number, (course, None))
    places = []
    for course, _ in marked.values():
        x, value = axes.last(course)
        places.append((x, axes.y.held(value)))
    heights = spread([y for _, y in places], LABEL_GAP, 8, HEIGHT - 4)
    best = picture.best[0].number if picture.best else None
    return [
        End(
            number=course.number,
            place=place,
            x=round(x, 2),
            y=round(y, 1),
            label_y=round(height, 1),
            text=f"#{course.number}",
            sub="best" if place is None and course.number == best else _progress(course),
            title=_title(picture, course),
        )
        for (course, place), (x, y), height in zip(marked.values(), places, heights, strict=True)
    ]


def _asked_best(picture: Picture) -> list[Course]:
    asked = picture.asked.number if picture.asked else None
    return [course for course in picture.best if course.number == asked]


def _band(picture: Picture, axes: Axes) -> str:
    band = picture.courses.bands.get(picture.metric)
    if band is None:
        return ""
    return paths.band(
        [
            (axes.x(share), axes.y.near(low), axes.y.near(high))
            for share, low, high in zip(GRID, band.low, band.high, strict=True)
            if low is not None and high is not None
        ]
    )


def _progress(course: Course) -> str:
    return f"{course.last_epoch}/{course.planned or '?'}"


def _title(picture: Picture, course: Course) -> str:
    fold = f", fold {course.fold}" if course.fold else ""
    value = shown_metric(picture.metric, _last(picture, course))
    return f"#{course.number}{fold}, epoch {_progress(course)}: {picture.metric} {value}"


def _row(picture: Picture, course: Course) -> Row:
    fold = f"fold {course.fold}, " if course.fold else ""
    value = shown_metric(picture.metric, _last(picture, course))
    return Row(f"#{course.number}", fold + _progress(course), value)


def _last(picture: Picture, course: Course) -> float | None:
    seen = [value for value in course.values[picture.metric] if value is not None]
    return seen[-1] if seen else None


def _best_word(count: int) -> str:
    return "" if not count else "best" if count == 1 else f"best {count}"


def _note(overview: Overview, picture: Picture) -> str:
    if overview.study.folds:
        return f"of {overview.study.folds} folds, each curve is the newest of its trial"
    if picture.align != "share":
        return ""
    lengths = sorted({course.planned for course in picture.shown if course.planned})
    if len(lengths) < 2:
        return ""
    ends = lengths[0], lengths[-1]
    short = max(1, ends[0] // 2)
    long = round(short * ends[1] / ends[0])
    return f"epoch {short} of {ends[0]} stands under epoch {long} of {ends[1]}"


def _nothing(overview: Overview) -> str:
    if overview.snapshot.running:
        return "No epoch yet. The first curve begins with the first epoch."
    return "No curve yet. A curve begins with a trial's first epoch."
