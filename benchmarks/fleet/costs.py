"""What a trial's bookkeeping costs, taken from the figures of benchmarks.engine."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine.__main__ import measure, open_lab
from benchmarks.engine.lab import Sizes

ROWS = ("steps", "look", "cold")  # the rows of benchmarks.engine that are needed
Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a trial.

    client: seconds of the worker's own CPU, spent before the database is asked.
    server: seconds of the server's CPU.
    waits: seconds until the answer that nobody computes in, such as the disk's at a commit.
    trips: round trips to the database.
    """

    client: float
    server: float
    waits: float
    trips: float


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The costs of everything that a fleet does, measured in a study of one size.

    look: seconds of the server's CPU for a supervisor's look.
    imports: seconds of a fresh worker's imports; training code has further ones.
    first: a fresh worker's way to its first trial, after its imports.
    peak_mb: memory of a worker, training apart.
    """

    at: str
    claim: Part
    draw: Part
    epoch: Part
    end: Part
    beat: Part
    look: float
    imports: float
    first: Part
    peak_mb: float


def measured_costs(sizes: Sizes, trials: int, rounds: int) -> Costs:
    """Measure the costs on this machine."""
    with open_lab(sizes, trials, rounds, seconds=1.0) as lab:
        return costs_of([figure.as_mapping() for figure in measure(lab, ROWS)])


def read_costs(path: Path) -> Costs:
    """Read the costs from the lines of JSON that benchmarks.engine printed."""
    lines = path.read_text().splitlines()
    return costs_of([json.loads(line) for line in lines if line.startswith("{")])


def costs_of(lines: Iterable[Line]) -> Costs:
    """Find the costs among figures, those in the largest study."""
    found = {(line["row"], line["figure"], line["at"]): line for line in lines}
    needed = {row for row, _, _ in found} & set(ROWS)
    if missing := set(ROWS) - needed:
        rows = " ".join(ROWS)
        raise SystemExit(
            f"no figures of {', '.join(sorted(missing))}: run"
            f" `python -m benchmarks.engine --only {rows} --json`"
        )
    at = max((at for row, _, at in found if row == "steps"), key=_trials)

    def beside(row: str, figure: str) -> Mapping[str, float]:
        return found[row, figure, at]["beside"]

    steps = {name: beside("steps", f"ms of CPU, {name}") for name in PARTS}
    look = beside("look", "ms of a supervisor's look")
    seconds = found["cold", "seconds to the first trial, after imports", at]
    first = seconds["beside"]
    client, server = first["client_ms"] / 1000, first["server_ms"] / 1000
    waits = max(0.0, seconds["median"] - client - server)
    return Costs(
        at=at,
        **{name: _part(numbers) for name, numbers in steps.items()},
        look=look["server_ms"] / 1000,
        imports=first["import_seconds"],
        first=Part(client=client, server=server, waits=waits, trips=0),
        peak_mb=found["cold", "peak memory in MB", at]["median"],
    )


PARTS = ("claim", "draw", "epoch", "end", "beat")


def _part(numbers: Mapping[str, float]) -> Part:
    return Part(
        client=numbers["client_ms"] / 1000,
        server=numbers["server_ms"] / 1000,
        waits=numbers["waits_ms"] / 1000,
        trips=numbers["trips"],
    )


def _trials(at: str) -> int:
    return int(at.split()[0].replace(",", ""))
