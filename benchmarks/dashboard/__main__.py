"""Every figure of the live page, beside optuna-dashboard's on the same study.

`python -m benchmarks.dashboard [--only ROW ...] [--sizes ...] [--json]`, from the checkout. Each
figure is a line of JSON, and at the end a row of a table with the target and a verdict.

All is real: the embedded Postgres, both dashboards as processes of their own, Chromium, and 16
workers' trials that record epochs and end.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields

from benchmarks.dashboard.browser import browser
from benchmarks.dashboard.reading import database, listing
from benchmarks.dashboard.wire import bytes_sent, cost_of_viewers, memory
from benchmarks.engine.__main__ import Rows, measure, open_lab
from benchmarks.engine.lab import Sizes
from benchmarks.engine.reading import status
from benchmarks.figures import tell

ROWS: Rows = {
    "browser": browser,
    "database": database,
    "bytes": bytes_sent,
    "viewers": cost_of_viewers,
    "status": status,
    "list": listing,
    "memory": memory,
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure the rows and print their figures."""
    chosen = _parser().parse_args(words)
    names = (each.name for each in fields(Sizes))
    sizes = Sizes(**dict(zip(names, chosen.sizes, strict=True)))
    with open_lab(sizes, chosen.trials, chosen.rounds, chosen.seconds) as lab:
        tell("dashboard", measure(lab, chosen.only, ROWS), as_json=chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    names, sizes = ("NONE", "SMALL", "MIDDLE", "LARGE"), Sizes()
    given = [sizes.none, sizes.small, sizes.middle, sizes.large]
    add("--sizes", nargs=4, type=int, default=given, metavar=names, help="trials in the studies")
    add("--trials", type=int, default=20, help="updates that a median is taken of")
    add("--rounds", type=int, default=6, help="fresh servers, and updates of the largest kind")
    add("--seconds", type=float, default=6.0, help="a tenth of the time in which CPU is measured")
    add("--json", action="store_true", help="only the lines of JSON")
    return parser


if __name__ == "__main__":
    main()
