"""The learning curve of one trial, and what the curves of many have in common."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboards.analysis.folds import fold_of
from objectives.contract import FOLD, FOLD_EPOCH, FOLDS_DONE, HIGH, LOW
from storage.rows import EpochRow, TrialRow

MOST_POINTS = 200  # of a curve that is drawn
GRID = tuple(round(step / 40, 3) for step in range(1, 41))  # shares of the schedule
LEAST_OF_A_BAND = 4  # trials, of which half lie in the middle

Numbers = tuple[float | None, ...]  # None where a value is missing or not finite
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Course:
    """The recorded epochs of a trial; with folds those of its newest fold.

    planned: the length of the schedule in epochs, of one fold; None where it is unknown.
    fold: from 1; 0 in a study without folds.
    place: among the running trials, which keep theirs: their colour and shape; 0 for others.
    epochs: counted from 1, at most 200 of them.
    minutes: the time of training until the end of each.
    values: of every recorded metric, at these epochs.
    """

    number: int
    planned: int | None
    fold: int
    place: int
    epochs: tuple[int, ...]
    minutes: tuple[float, ...]
    values: Mapping[str, Numbers]

    @property
    def last_epoch(self) -> int:
        """The last recorded epoch; 0 before the first."""
        return self.epochs[-1] if self.epochs else 0

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the schedule that each epoch ends, at most 1."""
        planned = max(self.planned or 0, self.last_epoch)
        return tuple(epoch / planned for epoch in self.epochs)


@dataclass(frozen=True)
class Band:
    """The middle half of the finished trials, by share of the schedule.

    low, high: the first and the third quartile at each share of GRID; None where too few have one.
    """

    low: Numbers
    high: Numbers


def course_of(
    trial: TrialRow, rows: Sequence[EpochRow], planned: int | None, folds: int, place: int = 0
) -> Course:
    """Build the course of a trial from its epochs, in order, some of which may be left out.

    folds: of the study.
    """
    newest = [row for row in rows if fold_of(row.metrics) == fold_of(rows[-1].metrics)]
    chosen = [newest[index] for index in thinned(len(newest), MOST_POINTS)]
    minutes = _minutes(newest)
    names = dict.fromkeys(name for row in chosen for name in row.metrics)
    return Course(
        number=trial.number,
        planned=planned,
        fold=fold_of(newest[-1].metrics) if folds and newest else 0,
        place=place,
        epochs=tuple(_epoch(row) for row in chosen),
        minutes=tuple(minutes[row.epoch] for row in chosen),
        values={name: tuple(_finite(row.metrics.get(name)) for row in chosen) for name in names},
    )


def at_shares(course: Course) -> dict[str, Floats]:
    """Return each metric at the shares of GRID: of the last epoch until then; NaN for none."""
    places = np.searchsorted(np.array(course.shares), np.array(GRID) + 1e-9, side="right")
    return {
        name: np.array([math.nan, *(math.nan if each is None else each for each in values)])[places]
        for name, values in course.values.items()
    }


def bands(curves: Iterable[Mapping[str, Floats]]) -> dict[str, Band]:
    """Find the middle half of some trials' curves, of each metric.

    curves: of each trial, as `at_shares` returns them.
    """
    of_metric: dict[str, list[Floats]] = {}
    for curve in curves:
        for name, values in curve.items():
            of_metric.setdefault(name, []).append(values)
    return {name: _band(np.stack(values)) for name, values in of_metric.items()}


def has_curve(metric: str) -> bool:
    """Say whether to draw a metric: not the position in folds, nor the end of an interval."""
    return metric not in (FOLD, FOLD_EPOCH, FOLDS_DONE) and not metric.endswith((LOW, HIGH))


def thinned(count: int, most: int) -> Iterator[int]:
    """Yield at most `most` evenly chosen places of `count`, the first and the last among them."""
    if count <= most:
        yield from range(count)
    else:
        yield from (round(index * (count - 1) / (most - 1)) for index in range(most))


def _band(values: Floats) -> Band:
    is_enough = np.count_nonzero(~np.isnan(values), axis=0) >= LEAST_OF_A_BAND
    quartiles = np.full((2, values.shape[1]), math.nan)
    if is_enough.any():
        quartiles[:, is_enough] = np.nanquantile(values[:, is_enough], (0.25, 0.75), axis=0)
    low, high = (tuple(map(_finite, row)) for row in quartiles.tolist())
    return Band(low, high)


def _epoch(row: EpochRow) -> int:
    return int(row.metrics.get(FOLD_EPOCH, row.epoch))


def _minutes(rows: Sequence[EpochRow]) -> dict[int, float]:
    """Return the minutes until the end of each epoch; one that is left out lasted like the next."""
    elapsed: dict[int, float] = {}
    seconds, before = 0.0, 0
    for row in rows:
        seconds += row.seconds * (_epoch(row) - before)
        elapsed[row.epoch], before = round(seconds / 60, 4), _epoch(row)
    return elapsed


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
