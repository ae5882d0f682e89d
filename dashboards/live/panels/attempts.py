"""The attempts on a time axis: one lane a worker, so that a trial can be followed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from dashboards.analysis import numbers
from dashboards.analysis.attempts.lanes import MOST_LANES, Box, How, Lane, Lanes, by_host
from dashboards.analysis.overview import Overview
from dashboards.analysis.wording import slot_name
from dashboards.live.view import View
from dashboards.marks.scale import Scale
from dashboards.marks.ticks import moment_ticks

LANE = 26  # pixels
MOST_ROWS = 20  # of the table
MOST_HOSTS = 24
GAP = 0.12  # percent, between two attempts
LEAST_WIDTH = 0.25
DIGIT_WIDTH = 0.75  # percent that a digit takes at 1,000 pixels
CROSSED = (How.KILLED, How.SILENT)
LEGEND = (How.FINISHED, How.PRUNED, How.FAILED, How.KILLED, How.HANDED_BACK, How.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One attempt, in percent across and pixels down.

    tone: the class of its colour.
    text: its trial's number, where there is room.
    """

    number: int
    x: float
    width: float
    y: float
    height: float
    tone: str
    text: str
    title: str
    has_cross: bool


@dataclass(frozen=True, kw_only=True)
class Away:
    """A time without the database, in percent across."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Track:
    """One lane: its name, and what stands in it, below `y`."""

    name: str
    y: int
    bars: Sequence[Bar]
    away: Sequence[Away]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A round time on the axis.

    is_clock: whether it is a time of the day, which the script writes in the reader's zone.
    """

    x: float
    at: datetime
    text: str
    is_clock: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """One attempt in words."""

    trial: int
    attempt: int
    lane: str
    begin: str
    end: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The panel of attempts, ready to be drawn.

    why: what a lane is, and what is left out.
    """

    tracks: Sequence[Track] = ()
    moments: Sequence[Moment] = ()
    height: int = 0
    why: str = ""
    label: str = ""
    legend: Sequence[tuple[str, str]] = ()
    rows: Sequence[Row] = ()


def attempts(overview: Overview, view: View) -> Attempts:
    """Build the panel of attempts."""
    return draw(overview.lanes, most=MOST_LANES)


def timeline(overview: Overview) -> Attempts:
    """Build the attempts with a lane for every worker, however many."""
    return draw(overview.lanes, most=len(overview.lanes.lanes))


def draw(found: Lanes, most: int) -> Attempts:
    """Place attempts on a time axis.

    most: lanes; of more, those of a host are drawn as one.
    """
    if found.begin is None or found.until is None:
        return Attempts(why="one lane a worker; the first begins with the first trial")
    lanes = found.lanes if len(found.lanes) <= most else by_host(found.lanes)
    shown = lanes[:MOST_HOSTS] if len(lanes) < len(found.lanes) else lanes
    x = Scale(low=found.begin.timestamp(), high=max(found.until, found.begin).timestamp())
    tracks = [_track(lane, place, x) for place, lane in enumerate(shown)]
    return Attempts(
        tracks=tracks,
        moments=list(_moments(found.begin, found.until, x)),
        height=LANE * len(tracks),
        why=_why(found, len(lanes) - len(shown), is_grouped=len(lanes) < len(found.lanes)),
        label=_sentence(found),
        legend=list(_legend(found)),
        rows=list(_rows(found)),
    )


def lane_name(lane: Lane) -> str:
    """Name a lane: its host, and its device or how many workers it stands for."""
    if lane.places > 1:
        return f"{lane.slot.host} · {lane.places} workers"
    return slot_name(lane.slot)


def _track(lane: Lane, place: int, x: Scale) -> Track:
    top = LANE * place
    spans = [
        Away(
            x=round(x.held(span.begin.timestamp()), 2),
            width=round(max(0.3, x.held(span.end.timestamp()) - x.held(span.begin.timestamp())), 2),
            title=f"database away for {numbers.span((span.end - span.begin).total_seconds())};"
            " training went on",
        )
        for span in lane.outages
        if span.end.timestamp() > x.low
    ]
    bars = [_bar(lane, box, x, top) for box in lane.boxes]
    return Track(name=lane_name(lane), y=top, bars=bars, away=spans)


def _bar(lane: Lane, box: Box, x: Scale, top: int) -> Bar:
    begin = x.held(box.begin.timestamp())
    end = x.held(box.end.timestamp()) if box.end else x.end
    width = max(LEAST_WIDTH, end - begin - GAP)
    height = (LANE - 6) / lane.rows
    text = str(box.number)
    return Bar(
        number=box.number,
        x=round(begin, 1),  # a tenth of a percent is a pixel: finer ones only cost bytes
        width=round(width, 1),
        y=round(top + 3 + height * box.row, 1),
        height=round(height - (1 if lane.rows > 1 else 0), 1),
        tone="best" if box.is_best else box.how.replace(" ", "-"),
        text=text if lane.rows == 1 and width > DIGIT_WIDTH * (len(text) + 1) else "",
        title=f"#{box.number}, attempt {box.attempt}: {box.how},"
        f" {numbers.clock(box.begin)} to {numbers.clock(box.end) if box.end else 'now'}",
        has_cross=box.how in CROSSED,
    )


def _moments(begin: datetime, end: datetime, x: Scale) -> Iterator[Moment]:
    ticks = moment_ticks(begin.astimezone(), end.astimezone())
    is_clock = any(":" in tick.text for tick in ticks)
    for tick in ticks:
        at = datetime.fromtimestamp(tick.value, UTC)
        yield Moment(x=round(x(tick.value), 2), at=at, text=tick.text, is_clock=is_clock)


def _why(found: Lanes, hosts_left_out: int, *, is_grouped: bool) -> str:
    parts = ["one lane a host" if is_grouped else "one lane a worker"]
    parts.append("a trial that went on elsewhere keeps its number")
    if hosts_left_out:
        parts.append(f"{numbers.counted(hosts_left_out, 'host')} more")
    if not found.is_all:
        parts.append(f"the newest {len(found.boxes)} attempts")
    return "; ".join(parts)


def _sentence(found: Lanes) -> str:
    counts = {how: sum(box.how == how for box in found.boxes) for how in How}
    told = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    lanes = numbers.counted(len(found.lanes), "worker")
    return f"Attempts at trials by {lanes}: {told}"


def _legend(found: Lanes) -> Iterator[tuple[str, str]]:
    """Yield the tone and the words of what is there."""
    ways = {box.how for box in found.boxes}
    yield from ((how.replace(" ", "-"), how) for how in LEGEND if how in ways)
    if any(box.is_best for box in found.boxes):
        yield "best", "best"
    if any(lane.outages for lane in found.lanes):
        yield "away", "database away"


def _rows(found: Lanes) -> Iterator[Row]:
    pairs = [(box, lane) for lane in found.lanes for box in lane.boxes]
    pairs.sort(key=lambda pair: attrgetter("begin", "number")(pair[0]), reverse=True)
    for box, lane in pairs[:MOST_ROWS]:
        yield Row(
            trial=box.number,
            attempt=box.attempt,
            lane=lane_name(lane),
            begin=numbers.clock(box.begin),
            end=numbers.clock(box.end) if box.end else "now",
            how=box.how,
        )
