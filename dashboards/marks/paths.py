"""The `d` of an SVG path: lines with gaps, steps and bands, in percent across and pixels down."""

from collections.abc import Iterable, Sequence

from dashboards.marks.scale import Scale

Place = tuple[float, float]  # percent across, pixels from the top


def line(places: Iterable[Place | None]) -> str:
    """Return a line through places; None is a gap, and a place between two gaps is a dot."""
    pieces: list[list[str]] = [[]]
    for place in places:
        if place is None:
            pieces.append([])
        else:
            pieces[-1].append(_pair(place))
    return "".join(f"M{piece[0]}L{' '.join(piece[1:] or piece)}" for piece in pieces if piece)


def steps(places: Sequence[Place], until: float) -> str:
    """Return a line that keeps its height until the next place, the last one until `until`."""
    if not places:
        return ""
    (x, y), *others = places
    turns = "".join(f"H{_short(right)}V{_short(down)}" for right, down in others)
    return f"M{_pair((x, y))}{turns}H{_short(until)}"


def band(places: Sequence[tuple[float, float, float]]) -> str:
    """Return the area between two lines: (percent across, the one, the other)."""
    if len(places) < 2:
        return ""
    there = [_pair((x, upper)) for x, upper, _ in places]
    back = [_pair((x, lower)) for x, _, lower in reversed(places)]
    return f"M{there[0]}L{' '.join([*there[1:], *back])}Z"


def spark(values: Sequence[float], height: float, room: float = 1.0) -> str:
    """Return a small line of evenly spaced values above 0, which is at the bottom."""
    if not values:
        return ""
    up = Scale(low=0, high=max(values), begin=height - room, end=room)
    apart = 100 / max(1, len(values) - 1)
    return line((index * apart, up(value)) for index, value in enumerate(values))


def _pair(place: Place) -> str:
    return f"{_short(place[0])} {_short(place[1])}"


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
