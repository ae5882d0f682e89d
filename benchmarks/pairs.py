"""Two ways of doing one thing, timed in turn: their ratio and its interval."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import quantile_test

from search.processes.machine import describe_machine

FEWEST_PAIRS = 7  # with fewer than six, the median has no 95 % interval
Timed = Callable[[], float]  # does the thing once and returns the seconds it took


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result of timing two ways, ours and a bare one.

    low, high: the 95 % interval of the ratio, by a sign test, which holds for noise of any shape.
    """

    ours_seconds: float  # median
    bare_seconds: float  # median
    ratio: float  # median of bare / ours over the pairs; above 1 ours is faster
    low: float
    high: float

    def verdict(self, target: float) -> str:
        """Say whether the whole interval is on one side of the target."""
        if self.low >= target:
            return f"{target} reached"
        return f"{target} missed" if self.high < target else "inside the noise"


def compare(ours: Timed, bare: Timed, pairs: int) -> Comparison:
    """Time both in turn, each first in every other pair, after one uncounted turn of each."""
    if pairs < FEWEST_PAIRS:
        raise SystemExit(f"--pairs {pairs}: too few for an interval; give {FEWEST_PAIRS} or more")
    ours(), bare()
    seconds = in_turn(ours, bare, pairs)
    ratios = [of_bare / of_ours for of_ours, of_bare in seconds]
    interval = quantile_test(ratios, q=median(ratios), p=0.5).confidence_interval(0.95)
    ours_seconds, bare_seconds = (median(column) for column in zip(*seconds, strict=True))
    return Comparison(
        ours_seconds=ours_seconds,
        bare_seconds=bare_seconds,
        ratio=median(ratios),
        low=float(interval.low),
        high=float(interval.high),
    )


def in_turn(ours: Timed, other: Timed, pairs: int) -> list[tuple[float, float]]:
    """Measure both so many times, each first in every other pair; return the pairs."""
    measured = []
    for pair in range(pairs):
        if pair % 2:
            second = other()
            measured.append((ours(), second))
        else:
            measured.append((ours(), other()))
    return measured


def report(
    name: str, rows: Iterable[Mapping[str, Any]], device: str, *, notes: str, as_json: bool
) -> None:
    """Print each row as a line of JSON once it is measured, and all of them as a table."""
    machine, shown = describe_machine(device), []
    for row in rows:
        now = {**machine, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        print(json.dumps({"benchmark": name, **row, **now}), flush=True)
        shown.append(row)
    if not as_json:
        table = Table(*shown[0], title=name, caption=notes)
        for row in shown:
            table.add_row(*(_as_text(value) for value in row.values()))
        Console(width=max(120, Console().width)).print(table)


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {_as_text(each)}" for name, each in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
