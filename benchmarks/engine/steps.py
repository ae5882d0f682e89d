"""The parts of a worker's trial: CPU of client and server, waiting and round trips of each.

The parts are claim, draw, epoch (recorded and judged), end, and a beat of the lease. What a part
waits for is the rest of its time: the disk at a commit, and the processes' turns on the cores.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from benchmarks.engine.clock import backends, cpu_ms
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import EPOCHS, claim, our_worker, train
from benchmarks.figures import Figure, middle
from objectives import catalog
from objectives.contract import Attempt, EpochResult
from search.worker.attempt import attempt_trial
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.worker import Worker

PARTS = {"claim": 1, "draw": 1, "epoch": EPOCHS, "end": 1, "beat": 1}  # how often each happens


@dataclass(kw_only=True)
class Meter:
    """The sums of this process and of its backends at moments of a trial.

    moments: wall ms, client ms, server ms and statements, after each part.
    """

    served: list[int]
    statements: int = 0
    moments: list[tuple[float, ...]] = field(default_factory=list)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the statements of this process while the block lasts."""

        def count(*_: object) -> None:
            self.statements += 1

        event.listen(Engine, "before_cursor_execute", count)
        yield
        event.remove(Engine, "before_cursor_execute", count)

    def note(self) -> None:
        """Note the end of a part."""
        wall, client = time.perf_counter() * 1000, time.process_time() * 1000
        self.moments.append((wall, client, cpu_ms(self.served), self.statements))

    def parts(self) -> list[tuple[float, ...]]:
        """Return what each part took, and begin anew."""
        pairs = zip(self.moments, self.moments[1:], strict=False)
        taken = [tuple(b - a for a, b in zip(*pair, strict=True)) for pair in pairs]
        self.moments = []
        return taken


def steps(lab: Lab) -> Iterator[Figure]:
    """Measure the parts of a trial at three sizes."""
    for size in (lab.sizes.small, lab.sizes.middle, lab.sizes.large):
        yield from steps_at(lab, size)


def steps_at(lab: Lab, size: int) -> Iterator[Figure]:
    """Measure the parts of a trial at one size."""
    at, meter = f"{size:,} trials", Meter(served=[])
    with lab.copy(size) as place, our_worker(place) as worker, meter.counting():
        _metered_trial(worker, meter), _metered_trial(worker, meter)
        meter.served = backends(place.url)
        measured = [_metered_trial(worker, meter) for _ in range(lab.trials)]
    for (part, times), taken in zip(PARTS.items(), zip(*measured, strict=True), strict=True):
        yield _figure(part, times, taken, at)


def _metered_trial(worker: Worker, meter: Meter) -> list[tuple[float, ...]]:
    """Take a trial and return what its parts took, in the order of PARTS."""

    def metered(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        meter.note()
        yield from train(config, attempt)
        meter.note()

    meter.parts()
    meter.note()
    leased = LeasedTrial(worker, claim(worker))
    meter.note()
    with patch.object(catalog, "load", lambda *_: metered):
        settled = attempt_trial(leased)
        settle(leased, settled)
    meter.note()
    ended = meter.parts()
    other = LeasedTrial(worker, claim(worker))
    meter.note()
    worker.store.beat(other.claim)
    meter.note()
    beat = meter.parts()
    with patch.object(catalog, "load", lambda *_: train):
        settle(other, attempt_trial(other))
    return ended + beat


def _figure(part: str, times: int, taken: tuple[tuple[float, ...], ...], at: str) -> Figure:
    wall, client, server, statements = (
        [each / times for each in column] for column in zip(*taken, strict=True)
    )
    rest = zip(wall, client, server, strict=True)
    return Figure(
        row="steps",
        name=f"ms of CPU, {part}",
        at=at,
        value=middle(mine + theirs for mine, theirs in zip(client, server, strict=True)),
        beside={
            "client_ms": median(client),
            "server_ms": median(server),
            "waits_ms": max(0.0, median(each - mine - theirs for each, mine, theirs in rest)),
            "trips": median(statements),
        },
    )
