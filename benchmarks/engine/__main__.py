"""Every figure of the engine, ours and plain Optuna's side by side on one Postgres.

`python -m benchmarks.engine [--only ROW ...] [--sizes 0 1000 10000 100000] [--json]`, from the
checkout. Each figure is a line of JSON, and at the end a row of a table with the target and a
verdict: reached or missed where the whole 95 % interval is on one side of the target.

All is real: the embedded Postgres, processes with interpreters of their own, the worker's own code.
CPU is that of this process and of every process of Postgres. Each measurement has a fresh copy of a
filled database, and the two sides take turns.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TypeAlias

import optuna

from benchmarks.engine.claims import claims
from benchmarks.engine.cold import cold
from benchmarks.engine.lab import Lab, Sizes
from benchmarks.engine.reading import look, status
from benchmarks.engine.steps import steps
from benchmarks.engine.throughput import draws_a_second, trials_a_second
from benchmarks.engine.trial import growth, trial, trips, unfinished
from benchmarks.figures import Figure, tell
from storage.postgres import server

Rows: TypeAlias = "Mapping[str, Callable[[Lab], Iterator[Figure]]]"
ROWS: Rows = {
    "trips": trips,
    "trial": trial,
    "growth": growth,
    "unfinished": unfinished,
    "workers": trials_a_second,
    "draws": draws_a_second,
    "status": status,
    "claim": claims,
    "cold": cold,
    "look": look,
    "steps": steps,
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure the rows and print their figures."""
    chosen = _parser().parse_args(words)
    names = (each.name for each in fields(Sizes))
    sizes = Sizes(**dict(zip(names, chosen.sizes, strict=True)))
    with open_lab(sizes, chosen.trials, chosen.rounds, chosen.seconds) as lab:
        tell("engine", measure(lab, chosen.only), as_json=chosen.json)


def measure(lab: Lab, rows: Sequence[str], known: Rows = ROWS) -> Iterator[Figure]:
    """Measure some of the known rows in order; tell on stderr how long each took."""
    for row in rows:
        started = time.monotonic()
        yield from known[row](lab)
        print(f"{row}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def open_lab(sizes: Sizes, trials: int, rounds: int, seconds: float) -> Iterator[Lab]:
    """Yield a lab on a Postgres that is removed with it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            with server.connect(home, None) as url:
                yield Lab(
                    url=url, home=home, sizes=sizes, trials=trials, rounds=rounds, seconds=seconds
                )
        finally:
            server.remove(home)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    names, sizes = ("NONE", "SMALL", "MIDDLE", "LARGE"), Sizes()
    given = [sizes.none, sizes.small, sizes.middle, sizes.large]
    add("--sizes", nargs=4, type=int, default=given, metavar=names, help="trials in the studies")
    add("--trials", type=int, default=20, help="trials of each side, at each size")
    add("--rounds", type=int, default=6, help="fresh processes, or rounds of several at once")
    add("--seconds", type=float, default=2.0, help="how long several processes work in a round")
    add("--json", action="store_true", help="only the lines of JSON")
    return parser


if __name__ == "__main__":
    main()
