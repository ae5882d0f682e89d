"""A fresh process: the time until its first trial can be trained, and its memory."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from benchmarks.engine.lab import Lab, run_apart
from benchmarks.engine.study import Place
from benchmarks.figures import Figure, Target, middle

FIRST, FIRST_AT_LARGE, PEAK_MB = Target(0.5), Target(1.0), Target(160)
PLAIN_ROUNDS = 2
COSTS = ("import_seconds", "client_ms", "server_ms")


def cold(lab: Lab) -> Iterator[Figure]:
    """Measure the first claim and draw of a fresh process, without a snapshot and with one.

    Without one the process reads the whole study and writes a snapshot.
    """
    with lab.copy(lab.sizes.middle) as place:
        without, plain = [], []
        for number in range(lab.rounds):
            without.append(_first_trial("ours", place))
            run_apart(place.url, "TRUNCATE search_service.snapshots")
            if number < PLAIN_ROUNDS:
                plain.append(_first_trial("plain", place))
        _first_trial("ours", place)
        having = [_first_trial("ours", place) for _ in range(lab.rounds)]
    keys = ("seconds", "peak_mb")
    beside = {f"plain_{key}": median(each[key] for each in plain) for key in keys}
    at = f"{lab.sizes.middle:,} trials"
    yield from _figures(f"{at}, no snapshot", without, FIRST, beside)
    yield from _figures(at, having, FIRST, beside)
    with lab.copy(lab.sizes.large) as place:
        alone = _first_trial("ours", place)
        having = [_first_trial("ours", place) for _ in range(lab.rounds)]
    beside = {f"no_snapshot_{key}": alone[key] for key in keys}
    yield from _figures(f"{lab.sizes.large:,} trials", having, FIRST_AT_LARGE, beside)


def fresh(kind: str, *words: str) -> dict[str, float]:
    """Run a fresh process of benchmarks.engine.fresh and return its measurements."""
    command = [sys.executable, "-m", "benchmarks.engine.fresh", kind, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _first_trial(kind: str, place: Place) -> dict[str, float]:
    return fresh(kind, place.url, str(place.home))


def _figures(
    at: str, measured: list[dict[str, float]], target: Target, beside: Mapping[str, Any]
) -> Iterator[Figure]:
    costs = {key: median(each[key] for each in measured) for key in COSTS}
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
