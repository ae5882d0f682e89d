"""The best value so far, and the trials around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_metric
from dashboards.analysis.trials.history import Dot, History
from dashboards.live.view import View
from dashboards.marks import paths
from dashboards.marks.scale import Scale
from storage.rows import WELL, Outcome

HEIGHT, TOP, BOTTOM = 118, 12, 104  # px; failed trials lie above the top
FAR = 0.9  # the share of finished trials that the scale holds; worse ones lie on its edge
ROOM = 0.08
SLASH = 0.7  # percent across, half of a pruned trial's mark
MOST_CROSSES = 60


@dataclass(frozen=True)
class Label:
    """A text at a place along an axis: percent across, or pixels from the top."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A trial that was the best one so far."""

    x: float
    y: float
    number: int
    value: str
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class HistoryPanel:
    """The drawing: paths in percent across and pixels down, and the labels of its axes.

    label: the drawing in a sentence.
    begun: where the trials end that have begun, in percent across.
    """

    label: str
    line: str = ""
    finished: str = ""
    pruned: str = ""
    failed: Sequence[float] = ()
    steps: Sequence[Mark] = ()
    across: Sequence[Label] = ()
    down: Sequence[Label] = ()
    begun: float = 0.0


def history(overview: Overview, view: View) -> HistoryPanel:
    """Build the panel of the best value so far."""
    found, study = overview.history, overview.study
    if not found.steps:
        return HistoryPanel(label="Nothing to draw before the first trial has finished.")
    begun = overview.snapshot.look.counts.begun
    x = Scale(low=0, high=max(study.trials, begun, 1))
    y = _scale(found, is_lower_better=study.direction == "minimize")
    marks = [
        Mark(
            x=round(x(step.number), 2),
            y=round(y.held(step.value), 1),
            number=step.number,
            value=shown_metric(study.metric, step.value),
            ended_at=step.at,
        )
        for step in found.steps
    ]
    first, last = marks[0], marks[-1]
    return HistoryPanel(
        label=f"{study.metric}: {first.value} in trial {first.number}, the best so far"
        f" {last.value} in trial {last.number}",
        line=paths.steps([(mark.x, mark.y) for mark in marks], until=round(x(begun), 2)),
        finished="".join(f"M{_place(x, y, dot)}h0" for dot in _of(found, Outcome.FINISHED)),
        pruned="".join(_slash(x, y, dot) for dot in _of(found, Outcome.PRUNED)),
        failed=[round(x(dot.number), 2) for dot in found.dots if dot.outcome not in WELL][
            -MOST_CROSSES:
        ],
        steps=marks,
        across=[
            Label(round(x(number), 2), f"{number:.0f}" if number else "trial 0")
            for number in (tick.value for tick in x.ticks(5))
            if number.is_integer()
        ],
        down=[Label(round(y(tick.value), 1), tick.text) for tick in y.ticks(4)],
        begun=round(x(begun), 2),
    )


def _of(found: History, outcome: Outcome) -> list[Dot]:
    return [dot for dot in found.dots if dot.outcome == outcome]


def _scale(found: History, *, is_lower_better: bool) -> Scale:
    """Return the scale down from the best value to the worse ones, without the very worst."""
    values = [dot.value for dot in _of(found, Outcome.FINISHED) if dot.value is not None]
    best = found.steps[-1].value
    far = float(np.quantile(values or [best], FAR if is_lower_better else 1 - FAR))
    low, high = sorted((best, far))
    return Scale(low=low, high=high, begin=BOTTOM, end=TOP).padded(ROOM)


def _place(x: Scale, y: Scale, dot: Dot) -> str:
    down = TOP - 4 if dot.value is None else y.held(dot.value)
    return f"{x(dot.number):.2f} {down:.1f}"


def _slash(x: Scale, y: Scale, dot: Dot) -> str:
    across, down = (float(part) for part in _place(x, y, dot).split())
    return f"M{across - SLASH:.2f} {down + 2:.1f}L{across + SLASH:.2f} {down - 2:.1f}"
