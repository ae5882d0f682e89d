"""Reading a study: the supervisor's look, and `search status`."""

import os
import time
from collections.abc import Iterator
from statistics import median
from unittest.mock import patch

from benchmarks.engine.clock import Clock
from benchmarks.engine.cold import fresh
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import STUDY, our_worker, whole_trial
from benchmarks.figures import Figure, Target, middle
from dashboards.analysis.snapshot import read_snapshot
from search.worker.worker import Worker
from storage.store import Store

LOOK_MS = Target(10)
STATUS = {"a line a study": ([], 0.1), "--study": (["--study", STUDY.name], 1.0)}
STATUS["--study --json"] = (["--study", STUDY.name, "--json"], 1.0)
STATUS_MB = Target(120)


def look(lab: Lab) -> Iterator[Figure]:
    """Time the look that a supervisor takes each second, after a trial has run since the last."""
    for size in (lab.sizes.middle, lab.sizes.large):
        with (
            lab.copy(size) as place,
            our_worker(place) as worker,
            Store.open(place.url) as store,
        ):
            first, *looks = _looks(1 + lab.trials, Clock(place.url), worker, store)
        wall, client, server = zip(*looks, strict=True)
        yield Figure(
            row="look",
            name="ms of a supervisor's look",
            at=f"{size:,} trials",
            value=middle(wall),
            target=LOOK_MS,
            beside={
                "client_ms": median(client),
                "server_ms": median(server),
                "first_ms": first[0],
            },
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


def _looks(
    count: int, clock: Clock, worker: Worker, store: Store
) -> Iterator[tuple[float, float, float]]:
    """Yield the milliseconds of each look: all, the client's, the server's; the first reads all."""
    snapshot = None
    for _ in range(count):
        whole_trial(worker)

        def take() -> None:
            nonlocal snapshot
            snapshot = read_snapshot(store, STUDY.name, snapshot)

        started = time.perf_counter()
        client, server = clock.split(take)
        yield (time.perf_counter() - started) * 1000, client, server
