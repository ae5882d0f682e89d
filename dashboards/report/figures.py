"""The drawings of a report: as plotly draws them with a script, and as they stand without one.

A colour is the name of a variable of static/report.css; static/report.js looks it up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from dashboards.analysis.numbers import counted, whole
from dashboards.marks.bars import Whisker, whisker
from dashboards.marks.paths import line
from dashboards.marks.scale import Scale
from dashboards.report.importances import Importances
from dashboards.report.parallel import ABSENT, Parallel
from spaces.shown import shown

STILL_LINES = 100
STILL_HEIGHT, STILL_TOP = 300, 44  # pixels; the axes stand below the names
BEST_LINES = 5
TICK_LETTERS = 24

Figure = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StillAxis:
    """One axis of the still drawing; x in percent, ticks in pixels from the top with their text."""

    name: str
    x: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, kw_only=True)
class StillParallel:
    """Parallel coordinates as lines.

    others, best: paths; the best ones are drawn over the others.
    left_out: how many of the trials that plotly draws are not in it.
    """

    axes: Sequence[StillAxis]
    others: Sequence[str]
    best: Sequence[str]
    left_out: int
    height: int = STILL_HEIGHT
    top: int = STILL_TOP


def parallel_figure(parallel: Parallel) -> Figure:
    """Return parallel coordinates for plotly; axes may be moved, and lines chosen on them."""
    dimensions: list[Figure] = [
        {
            "label": _plain(axis.name),
            "range": [_whole(ABSENT) if ABSENT in axis.places else 0, _whole(1)],
            "values": list(map(_whole, axis.places)),
            "tickvals": [_whole(place) for place, _ in axis.ticks],
            "ticktext": [_cut(text) for _, text in axis.ticks],  # which plotly takes as they are
        }
        for axis in parallel.axes
    ]
    shades = [[0, _colour("--band")], [0.5, _colour("--ref")], [1, _colour("--accent")]]
    line = {"color": list(map(_whole, parallel.axes[-1].places)), "colorscale": shades}
    fonts = {name: {"color": _colour("--ink-2")} for name in ("labelfont", "tickfont", "rangefont")}
    trace: Figure = {
        **fonts,
        "type": "parcoords",
        "dimensions": dimensions,
        "line": {**line, "cmin": 0, "cmax": _whole(1)},
    }
    return {
        "id": "parallel",
        "height": 380,
        "data": [trace],
        "layout": {"margin": {"l": 70, "r": 70, "t": 56, "b": 24}},
    }


def still_parallel(parallel: Parallel) -> StillParallel:
    """Return parallel coordinates as lines that need no script."""
    count = len(parallel.numbers)
    places = np.array([axis.places for axis in parallel.axes])
    best = list(range(max(0, count - BEST_LINES), count))
    others = np.arange(0, max(0, count - BEST_LINES))
    if len(others) > STILL_LINES - BEST_LINES:
        chosen = np.linspace(0, len(others) - 1, STILL_LINES - BEST_LINES)
        others = others[chosen.round().astype(int)]
    apart = 100 / max(1, len(parallel.axes) - 1)
    room = STILL_HEIGHT * (1 - abs(ABSENT)) - STILL_TOP - 12
    down = Scale(low=0, high=1, begin=STILL_TOP + room, end=STILL_TOP)

    def path(trial: int) -> str:
        heights = (round(down(float(place))) for place in places[:, trial])
        return line((at * apart, height) for at, height in enumerate(heights))

    return StillParallel(
        axes=[
            StillAxis(
                name=shown(axis.name),
                x=round(at * apart, 2),
                ticks=[(round(down(place), 1), _cut(text)) for place, text in axis.ticks],
            )
            for at, axis in enumerate(parallel.axes)
        ],
        others=[path(int(trial)) for trial in others],
        best=[path(trial) for trial in best],
        left_out=count - len(others) - len(best),
    )


def importance_figure(found: Importances) -> Figure:
    """Return the importances with their intervals for plotly."""
    rows = found.rows[::-1]
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [round(row.high - row.share, 3) for row in rows],
        "arrayminus": [round(row.share - row.low, 3) for row in rows],
        "color": _colour("--ink-2"),
    }
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [_plain(row.name) for row in rows],
        "x": [round(row.share, 3) for row in rows],
        "error_x": spread,
        "marker": {"color": _colour("--s1")},
        "hovertemplate": "%{y}: %{x:.0%}<extra></extra>",
    }
    axis = {
        "tickformat": ".0%",
        "range": [0, 1],
        "gridcolor": _colour("--line"),
        "zerolinecolor": _colour("--line-strong"),
    }
    layout = {"margin": {"l": 150, "r": 16, "t": 8, "b": 32}, "xaxis": axis}
    return {"id": "importances", "height": 60 + 30 * len(rows), "data": [trace], "layout": layout}


def importance_marks(found: Importances) -> Iterator[tuple[str, Whisker]]:
    """Yield each hyperparameter with its share and interval, to be drawn without a script."""
    scale = Scale(low=0, high=1)
    for row in found.rows:
        words = f"{row.share:.0%}, interval {row.low:.0%} to {row.high:.0%}"
        yield row.name, whisker(scale, (row.low, row.share, row.high), "s1", words)


def in_words(parallel: Parallel) -> str:
    """Say how many trials the lines are, and which are left out."""
    drawn = counted(len(parallel.numbers), "finished trial")
    if not parallel.left_out:
        return f"{drawn}."
    left_out = f"{whole(parallel.left_out)} more are not drawn"
    return f"{drawn}: the best ones and an even selection of the others; {left_out}."


def _whole(place: float) -> int:
    """Return a place in thousandths, which takes the fewest letters in a page."""
    return round(1000 * place)


def _cut(text: str) -> str:
    """Return a text that has room beside an axis."""
    whole_text = shown(text)
    return whole_text if len(whole_text) <= TICK_LETTERS else f"{whole_text[: TICK_LETTERS - 1]}…"


def _plain(text: str) -> str:
    """Return a text that plotly, which reads some HTML, shows as it is."""
    return escape(shown(text), quote=False)


def _colour(variable: str) -> Mapping[str, str]:
    """Return the mark of a colour; as a mapping, it is never mistaken for a text of a study."""
    return {"css": variable}
