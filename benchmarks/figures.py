"""Measured figures: a median with its interval, and the target that it is held against."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import quantile_test

from search.processes.machine import describe_machine

FEWEST = 6  # with fewer, the median has no 95 % interval


@dataclass(frozen=True, kw_only=True)
class Middle:
    """A median and its 95 % interval by order statistics, which holds for noise of any shape.

    low, high: of fewer than six values the smallest and the largest.
    of: the number of values.
    """

    median: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.median:.4g}"
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Target:
    """A bound that a figure is to keep: an upper one unless `is_least`."""

    bound: float
    is_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.is_least else '<='} {self.bound:g}"

    def verdict(self, measured: Middle) -> str:
        """Say whether the whole interval is on the right side of the bound."""
        sign = -1 if self.is_least else 1
        low, high = sorted((sign * measured.low, sign * measured.high))
        if high <= sign * self.bound:
            return "reached"
        return "missed" if low > sign * self.bound else "inside the noise"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number.

    row: the row of the benchmark that measured it.
    name: what was measured, with its unit.
    at: the size or the number of processes at which it was measured.
    beside: the numbers that explain it, such as both sides of a ratio.
    """

    row: str
    name: str
    at: str
    value: Middle
    target: Target | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)

    def as_mapping(self) -> dict[str, Any]:
        """Return the figure as plain JSON."""
        given = {"row": self.row, "figure": self.name, "at": self.at, **asdict(self.value)}
        if self.target:
            given |= {"to_reach": str(self.target), "verdict": self.target.verdict(self.value)}
        return given | {"beside": dict(self.beside)}


def middle(values: Iterable[float]) -> Middle:
    """Find the median of some values and its interval."""
    given = list(values)
    low, high = min(given), max(given)
    if len(given) >= FEWEST:
        interval = quantile_test(given, q=median(given), p=0.5).confidence_interval(0.95)
        low, high = float(interval.low), float(interval.high)
    return Middle(median=median(given), low=low, high=high, of=len(given))


def exactly(value: float) -> Middle:
    """Return a count, which has no noise."""
    return Middle(median=value, low=value, high=value, of=1)


def ratio(pairs: Sequence[tuple[float, float]]) -> Middle:
    """Find the median ratio of the first of each pair to the second."""
    return middle(first / second for first, second in pairs)


def tell(benchmark: str, figures: Iterable[Figure], *, as_json: bool) -> list[Figure]:
    """Print each figure as a line of JSON once it is measured, and all of them as a table."""
    machine, told = describe_machine("cpu"), []
    for figure in figures:
        now = {**machine, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        print(json.dumps({"benchmark": benchmark, **figure.as_mapping(), **now}), flush=True)
        told.append(figure)
    if not as_json:
        _print_table(benchmark, told)
    return told


def _print_table(title: str, figures: Iterable[Figure]) -> None:
    table = Table("row", "figure", "at", "measured", "to reach", "verdict", "beside", title=title)
    for each in figures:
        beside = " · ".join(f"{name} {_as_text(value)}" for name, value in each.beside.items())
        target, verdict = each.target or "", each.target and each.target.verdict(each.value)
        cells = (each.row, each.name, each.at, each.value, target, verdict or "", beside)
        table.add_row(*map(str, cells))
    Console(width=max(160, Console().width)).print(table)


def _as_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
