"""A fresh process: the time until its first trial can be trained, and its memory."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from benchmarks.engine.lab import Lab
from benchmarks.engine.study import Place, our_trials
from benchmarks.figures import Figure, Target, middle

FIRST, FIRST_WITH_SNAPSHOT, PEAK_MB = Target(0.5), Target(1.0), Target(160)
SNAPSHOTS = "search_service.snapshots"
TURNS = 5  # enough for the first reader, which writes one
PLAIN_ROUNDS = 3
COSTS = ("import_seconds", "client_ms", "server_ms")


def cold(lab: Lab) -> Iterator[Figure]:
    """Measure the first claim and draw of a fresh process at two sizes."""
    with lab.copy(lab.sizes.middle) as place:
        ours, plain = [], []
        for number in range(lab.rounds):
            ours.append(_first_trial("ours", place))
            if number < PLAIN_ROUNDS:
                plain.append(_first_trial("plain", place))
    beside = {f"plain_{key}": median(each[key] for each in plain) for key in ("seconds", "peak_mb")}
    yield from _figures(lab.sizes.middle, ours, FIRST, beside)
    with lab.copy(lab.sizes.large) as place:
        has_snapshot = _let_a_snapshot_be_written(place)
        ours = [_first_trial("ours", place) for _ in range(lab.rounds)]
    beside = {"with_snapshot": has_snapshot}
    yield from _figures(lab.sizes.large, ours, FIRST_WITH_SNAPSHOT, beside)


def fresh(kind: str, *words: str) -> dict[str, float]:
    """Run a fresh process of benchmarks.engine.fresh and return its measurements."""
    command = [sys.executable, "-m", "benchmarks.engine.fresh", kind, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _first_trial(kind: str, place: Place) -> dict[str, float]:
    return fresh(kind, place.url, str(place.home))


def _figures(
    size: int, measured: list[dict[str, float]], target: Target, beside: Mapping[str, Any]
) -> Iterator[Figure]:
    costs = {key: median(each[key] for each in measured) for key in COSTS}
    at = f"{size:,} trials"
    yield Figure(
        row="cold",
        name="seconds to the first trial, after imports",
        at=at,
        value=middle(each["seconds"] for each in measured),
        target=target,
        beside={**costs, **beside},
    )
    yield Figure(
        row="cold",
        name="peak memory in MB",
        at=at,
        value=middle(each["peak_mb"] for each in measured),
        target=PEAK_MB if target is FIRST else None,
    )


def _let_a_snapshot_be_written(place: Place) -> bool:
    """Take some turns as a worker does, and say whether there is a snapshot of the study now."""
    with our_trials(place) as turn:
        for _ in range(TURNS):
            turn()
    with create_engine(place.url, poolclass=NullPool).connect() as connection:
        table = connection.scalar(text("SELECT to_regclass(:name)"), {"name": SNAPSHOTS})
        rows = f"SELECT EXISTS (SELECT FROM {SNAPSHOTS})"
        return table is not None and bool(connection.scalar(text(rows)))
