"""A fleet of workers on one study, simulated: what they reach, and where their first wall is.

`python -m benchmarks.engine --json > engine.jsonl`, then `python -m benchmarks.fleet --costs
engine.jsonl [--workers 500] [--trials 100000] [--epochs 60 10 1]`. Without `--costs` the needed
rows are measured first, which takes some minutes.

Measured, by benchmarks.engine, in a study as large as the whole budget: the CPU of worker and
server for a claim, a draw, an epoch (recorded and judged), an end, a beat and a supervisor's look;
what a commit waits for the disk; a fresh worker's way to its first trial; its memory.

Assumed:
- A trial has 5 to 20 epochs, all numbers equally likely. 30 % of the trials are pruned after a
  quarter of theirs. All epochs of a trial take the same time, .8 to 1.2 times the stated seconds.
- The server has 4 cores like those of the machine that measured. A request runs on the core that
  is free first, in the order of arrival. Beats and looks take their share of every core, evenly.
- Claims stand in one queue: a claim holds the study's lock until its commit is on the disk. All
  other commits are made in groups and never wait for each other.
- A round trip over the network takes .5 ms (`--trip-ms`). Bandwidth is no limit.
- A machine has 8 workers, a core for each, and one supervisor. Nothing fails, and nobody looks at
  the dashboard.
- Every trial costs what it costs at the end, with all others there.

A wall is a number of workers at which a resource of the server is used up: its connections, its
cores (95 % of them), or the study's lock (95 % of the time). It is found by raising the workers by
a quarter until one is. The connections are those that the embedded Postgres allows
(`--connections`); each worker, each supervisor and its dashboard hold all that they may.
"""

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.lab import Sizes
from benchmarks.fleet.costs import Costs, measured_costs, read_costs
from benchmarks.fleet.simulation import Machines, Run, Server, Trial, simulate
from benchmarks.pairs import report
from search.processes.supervisor import READ_SECONDS
from search.settings import BEATS_PER_LEASE, LEASE_SECONDS
from storage.connections import OF_A_RUN, OF_A_WORKER
from storage.postgres.cluster import SETTINGS

FEWEST_EPOCHS, MOST_EPOCHS, PRUNED, PRUNED_AT = 5, 20, 0.3, 0.25
A_MACHINE = 8  # workers
FULL, STEP = 0.95, 1.25
TRIALS_EACH = 4  # of a worker, while the wall is looked for


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The workers, their trials, and the server."""

    workers: int
    trials: int
    epoch_seconds: float
    cores: int
    trip: float
    connections: int

    @property
    def machines(self) -> int:
        """The number of machines."""
        return math.ceil(self.workers / A_MACHINE)

    def background(self, costs: Costs) -> float:
        """Return the cores of the server that beats and supervisors' looks take."""
        beats = self.workers * BEATS_PER_LEASE / LEASE_SECONDS
        return beats * costs.beat.server + self.machines / READ_SECONDS * costs.look

    @property
    def needed_connections(self) -> int:
        """The number of connections to the database, at most."""
        return self.workers * OF_A_WORKER + self.machines * OF_A_RUN


def main(words: Sequence[str] | None = None) -> None:
    """Simulate the fleet at each length of an epoch, find the walls, and print both."""
    chosen = _parser().parse_args(words)
    costs = (
        read_costs(chosen.costs) if chosen.costs else measured_costs(Sizes(), trials=20, rounds=6)
    )
    fleets = [
        Fleet(
            workers=chosen.workers,
            trials=chosen.trials,
            epoch_seconds=seconds,
            cores=chosen.cores,
            trip=chosen.trip_ms / 1000,
            connections=chosen.connections,
        )
        for seconds in chosen.epochs
    ]
    rows = [row_of(fleet, costs) for fleet in fleets]
    report("fleet", rows, "cpu", notes=f"costs measured at {costs.at}", as_json=chosen.json)
    walls = [wall for fleet in fleets for wall in find_walls(fleet, costs)]
    report("walls", walls, "cpu", notes="workers at which each is used up", as_json=chosen.json)
    if not chosen.json:
        first = min(walls, key=lambda wall: wall["workers"])
        print(f"The first wall: {first['wall']}, at {first['workers']:,} workers.")


def row_of(fleet: Fleet, costs: Costs) -> dict[str, Any]:
    """Simulate a fleet and return what it reaches."""
    run = run_of(fleet, costs)
    return {
        "epoch seconds": fleet.epoch_seconds,
        "workers": fleet.workers,
        "trials": fleet.trials,
        "trials a second": run.rate,
        "time in training": run.trained / run.present,
        "server cores": cores_used(fleet, costs, run),
        "lock in use": lock_used(run),
        "claim wait p95 ms": float(np.percentile(run.waits, 95)) * 1000,
        "connections": fleet.needed_connections,
        "MB a machine": A_MACHINE * costs.peak_mb,
        "cold start s": cold_start(fleet, costs),
    }


def find_walls(fleet: Fleet, costs: Costs) -> Iterator[dict[str, Any]]:
    """Find the number of workers at which the connections are used up, and then the server."""
    epoch = {"epoch seconds": fleet.epoch_seconds}
    allowed = fleet.connections
    sizes = (replace(fleet, workers=number) for number in count(1))
    first = next(each for each in sizes if each.needed_connections > allowed)
    yield {**epoch, "wall": f"{allowed} connections", "workers": first.workers}
    while True:
        if fleet.background(costs) >= FULL * fleet.cores:
            yield {**epoch, "wall": "the server's cores (beats, looks)", "workers": fleet.workers}
            return
        tried = replace(fleet, trials=TRIALS_EACH * fleet.workers)
        run = run_of(tried, costs)
        used = {
            "the server's cores": cores_used(tried, costs, run) / fleet.cores,
            "the study's lock": lock_used(run),
        }
        fullest = max(used, key=lambda name: used[name])
        if used[fullest] >= FULL:
            yield {**epoch, "wall": fullest, "workers": fleet.workers}
            return
        fleet = replace(fleet, workers=math.ceil(fleet.workers * STEP))


def run_of(fleet: Fleet, costs: Costs) -> Run:
    """Simulate a fleet whose workers begin within one epoch's time."""
    chance = random.Random(0)
    starts = [chance.uniform(0, fleet.epoch_seconds) for _ in range(fleet.workers)]
    machines = Machines(cores=fleet.cores, trip=fleet.trip, background=fleet.background(costs))
    return simulate(costs, machines, drawn_trials(fleet, chance), starts)


def drawn_trials(fleet: Fleet, chance: random.Random) -> Iterator[Trial]:
    """Draw the trials of a fleet."""
    for _ in range(fleet.trials):
        epochs = chance.randint(FEWEST_EPOCHS, MOST_EPOCHS)
        if chance.random() < PRUNED:
            epochs = math.ceil(epochs * PRUNED_AT)
        yield Trial(epochs=epochs, epoch_seconds=fleet.epoch_seconds * chance.uniform(0.8, 1.2))


def cores_used(fleet: Fleet, costs: Costs, run: Run) -> float:
    """Return the cores of the server in use while all workers are at work."""
    return run.rate * run.served / run.trials + fleet.background(costs)


def lock_used(run: Run) -> float:
    """Return the share of the time in which the study's lock is held."""
    return run.rate * run.locked / run.trials


def cold_start(fleet: Fleet, costs: Costs) -> float:
    """Return the seconds until the last of all workers, started at once, has its first trial."""
    server, first = Server(Machines(cores=fleet.cores, trip=fleet.trip)), costs.first
    ready = costs.imports + first.client
    served = max(server.serve(ready, first.server) for _ in range(fleet.workers))
    return served + first.waits


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--costs", type=Path, help="the lines of JSON of benchmarks.engine; else measured first")
    add("--workers", type=int, default=500)
    add("--trials", type=int, default=100_000)
    add("--epochs", type=float, nargs="+", default=[60, 10, 1], help="seconds of an epoch")
    add("--cores", type=int, default=4, help="of the server")
    add("--trip-ms", type=float, default=0.5, help="a round trip over the network")
    given = int(SETTINGS["max_connections"])
    add("--connections", type=int, default=given, help="that the server allows")
    add("--json", action="store_true", help="only the lines of JSON")
    return parser


if __name__ == "__main__":
    main()
