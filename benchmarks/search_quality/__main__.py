"""Measure how well trials are chosen and stopped, beside Optuna and others.

    OMP_NUM_THREADS=1 python -m benchmarks.search_quality

Rows:
- `alone`: trials to the default TPE's median best of 40 trials, and regret at 40 and at 100, over
  those of Optuna's TPE; regret at 40 over Optuna's GP. With each kind of prior (`beliefs.py`). A
  regret is 0 for the best configuration and 1 for the median of uniform draws. Of each contender
  the median over the seeds counts on a landscape, then the geometric mean over the landscapes:
  those of `landscapes.py`, and the table of real results that `record.py` made.
- `parallel`: the same with several trials at a time, over TPE with as many.
- `cost`: a draw beside 200 and 5,000 finished trials.
- `pruning`: epochs until a trial of the true best 5 % has ended, over those without pruning, and
  regret (0: the best hundredth, 1: the median) at a budget of epochs, by family of curves
  (`curves.py`).

All contenders meet the same landscapes, priors and noise: the seed decides them. Intervals are the
middle 95 % of 1,000 bootstrap samples of the seeds. A finished search is kept in the folder
`--kept` and run again only when its code, or a package that it depends on, has changed.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import optuna

from benchmarks.figures import Figure, tell
from benchmarks.search_quality import choosing, plot, stopping
from benchmarks.search_quality.beliefs import BELIEFS
from benchmarks.search_quality.contenders import BASE, CONTENDERS, OURS
from benchmarks.search_quality.cost import cost
from benchmarks.search_quality.judges import JUDGES
from benchmarks.search_quality.peers import PEERS, missing
from benchmarks.search_quality.table import ALL, CURVES

KEPT = Path("build/search_quality")
QUICK = {"landscapes": ["ordinal", "valley"], "seeds": 3, "trials": 40, "contenders": [BASE, OURS]}
Rows = Mapping[str, Callable[[], Iterator[Figure]]]


def main(words: Sequence[str] | None = None) -> None:
    """Measure the rows and print their figures."""
    parser = _parser()
    chosen = parser.parse_args(words)
    if chosen.quick:
        parser.set_defaults(**QUICK, share=0.1)
        chosen = parser.parse_args(words)
    # For the processes of the searches; this one has loaded numpy.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    chosen.contenders = [name for name in chosen.contenders if not _is_skipped(name)]
    rows = _rows(chosen)
    tell("search_quality", _measure(chosen.only, rows), as_json=chosen.json)
    if chosen.plot:
        plan = _plan(chosen)
        plot.draw(choosing.regrets(plan, [*choosing.every(plan)]), chosen.plot)


def _is_skipped(contender: str) -> bool:
    """Say whether a contender cannot run here; print why."""
    why = missing(contender) if contender in PEERS else None
    if why:
        print(json.dumps({"benchmark": "search_quality", "skipped": contender, "why": why}))
    return why is not None


def _measure(names: Sequence[str], rows: Rows) -> Iterator[Figure]:
    for name in names:
        started = time.monotonic()
        yield from rows[name]()
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _rows(chosen: argparse.Namespace) -> Rows:
    plan = _plan(chosen)
    samplers = [name for name in chosen.contenders if CONTENDERS[name].is_ours]
    judged = stopping.Plan(
        judges=chosen.judges,
        families=chosen.families,
        seeds=chosen.seeds,
        kept=chosen.kept,
        processes=chosen.jobs,
    )
    return {
        "alone": lambda: choosing.alone(plan),
        "parallel": lambda: choosing.parallel(plan),
        "cost": lambda: cost(samplers, chosen.share),
        "pruning": lambda: stopping.stopping(judged),
    }


def _plan(chosen: argparse.Namespace) -> choosing.Plan:
    return choosing.Plan(
        contenders=chosen.contenders,
        landscapes=chosen.landscapes,
        beliefs=chosen.beliefs,
        seeds=chosen.seeds,
        trials=chosen.trials,
        parallel=chosen.workers,
        kept=chosen.kept,
        processes=chosen.jobs,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_quality", description=__doc__.splitlines()[0]
    )
    rows = ("alone", "parallel", "cost", "pruning")
    several = {
        "only": rows,
        "contenders": CONTENDERS,
        "landscapes": ALL,
        "beliefs": BELIEFS,
        "judges": JUDGES,
        "families": CURVES,
    }
    for name, known in several.items():
        told = ", ".join(known)
        parser.add_argument(
            f"--{name}", nargs="+", choices=known, default=[*known], metavar="NAME", help=told
        )
    add = parser.add_argument
    add("--seeds", type=int, default=30, help="of every search and study")
    add("--trials", type=int, default=100, help="of every search")
    add("--workers", nargs="*", type=int, default=[4, 8], help="trials at a time in `parallel`")
    add("--share", type=float, default=1.0, help="of the finished trials and draws in `cost`")
    add("--jobs", type=int, default=2, help="processes")
    add("--kept", type=Path, default=KEPT, help="the folder of finished searches")
    add("--plot", type=Path, help="the SVG of the regrets to write")
    add("--quick", action="store_true", help="a minute: few seeds, landscapes and trials")
    add("--json", action="store_true", help="only the lines of JSON")
    return parser


if __name__ == "__main__":
    main()
