"""Reading a study: the supervisor's look, and `search status`."""

import os
import time
from collections.abc import Iterator
from statistics import median
from unittest.mock import patch

from benchmarks.engine.clock import Clock
from benchmarks.engine.cold import fresh
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import STUDY
from benchmarks.figures import Figure, Target, middle
from search.analysis.snapshot import Snapshot, read_snapshot
from storage.store import Store

LOOK_MS = Target(10)
STATUS = {"a line a study": ([], 0.1), "--study": (["--study", STUDY.name], 1.0)}
STATUS["--study --json"] = (["--study", STUDY.name, "--json"], 1.0)
STATUS_MB = Target(120)


def look(lab: Lab) -> Iterator[Figure]:
    """Time the look that a supervisor takes each second."""
    for size in (lab.sizes.middle, lab.sizes.large):
        with lab.copy(size) as place, Store.open(place.url) as store:
            clock = Clock(place.url)
            snapshot = read_snapshot(store, STUDY.name)

            def take(before: Snapshot = snapshot, store: Store = store) -> None:
                read_snapshot(store, STUDY.name, before)

            cpu = [clock.split(take) for _ in range(lab.rounds)]
            taken = []
            for _ in range(lab.trials):
                started = time.perf_counter()
                take()
                taken.append((time.perf_counter() - started) * 1000)
            connections = store.engine.pool.size()
        client, server = (median(column) for column in zip(*cpu, strict=True))
        yield Figure(
            row="look",
            name="ms of a supervisor's look",
            at=f"{size:,} trials",
            value=middle(taken),
            target=LOOK_MS,
            beside={"client_ms": client, "server_ms": server, "connections": connections},
        )


def status(lab: Lab) -> Iterator[Figure]:
    """Time `search status` in fresh processes, after their imports."""
    size = lab.sizes.middle
    with lab.copy(size) as place:
        settings = {"SEARCH_DATABASE_URL": place.url, "SEARCH_HOME": str(place.home)}
        for name, (words, seconds) in STATUS.items():
            with patch.dict(os.environ, settings):
                runs = [fresh("status", *words) for _ in range(lab.rounds)]
            at = f"{name}, {size:,} trials"
            yield Figure(
                row="status",
                name="seconds after imports",
                at=at,
                value=middle(each["seconds"] for each in runs),
                target=Target(seconds),
                beside={"import_seconds": median(each["import_seconds"] for each in runs)},
            )
            yield Figure(
                row="status",
                name="peak memory in MB",
                at=at,
                value=middle(each["peak_mb"] for each in runs),
                target=STATUS_MB,
            )
