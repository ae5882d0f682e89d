"""Figures of the choice of configurations, by one worker and by several at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, Middle, Target
from benchmarks.search_quality.contenders import BASE, CONTENDERS, OPTUNA_GP, OURS
from benchmarks.search_quality.jobs import Found, run_all
from benchmarks.search_quality.measures import Tasks, by_landscape, regret_ratio, trials_ratio
from benchmarks.search_quality.searches import Search
from search.samplers.observed import Floats

NONE = "none"
FEW, MANY = 40, 100
TO_TARGET, REGRET = "trials to TPE's best over TPE's", "regret at {} trials over TPE's"
OVER_GP = f"regret at {FEW} trials over Optuna's GP without a prior"
TARGETS: Mapping[tuple[str, str], float] = {
    ("good", TO_TARGET): 0.2,
    ("offset", TO_TARGET): 0.6,
    ("one wrong", TO_TARGET): 0.5,
    ("two only", TO_TARGET): 0.6,
    ("wrong", REGRET.format(FEW)): 1.1,
    ("wrong", REGRET.format(MANY)): 1.05,
    ("none", REGRET.format(FEW)): 0.5,
    ("offset", OVER_GP): 1.0,
}
IN_PARALLEL = 1.15  # with several workers the targets are so much wider
Regrets = Mapping[str, Floats]  # landscape -> (seeds, trials)
Pair = tuple[str, str]  # a contender and a prior


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The searches of a run.

    contenders, landscapes, beliefs: their names.
    seeds: the number of seeds, the same ones for all contenders.
    trials: of each search.
    parallel: the numbers of workers that are measured beside one.
    kept: the folder of finished searches.
    processes: searches at the same time.
    """

    contenders: Sequence[str]
    landscapes: Sequence[str]
    beliefs: Sequence[str]
    seeds: int
    trials: int
    parallel: Sequence[int]
    kept: Path
    processes: int

    def searches(self, contender: str, belief: str, workers: int = 1) -> list[Search]:
        """Return a search per landscape and seed."""
        return [
            Search(
                contender=contender,
                landscape=landscape,
                belief=belief if CONTENDERS[contender].takes_priors else NONE,
                seed=seed,
                trials=min(self.trials, CONTENDERS[contender].trials),
                workers=workers,
            )
            for landscape in self.landscapes
            for seed in range(self.seeds)
        ]


def alone(plan: Plan) -> Iterator[Figure]:
    """Compare all contenders, one trial at a time."""
    yield from _compare("alone", plan, [*every(plan)], 1)


def parallel(plan: Plan) -> Iterator[Figure]:
    """Compare our default with TPE, several trials at a time."""
    for workers in plan.parallel:
        pairs = [pair for pair in every(plan) if pair[0] in (BASE, OURS)]
        yield from _compare("parallel", plan, pairs, workers)


def regrets(plan: Plan, pairs: Sequence[Pair], workers: int = 1) -> dict[Pair, Regrets]:
    """Run the searches of some contenders with priors, and return their regrets."""
    jobs = {pair: plan.searches(*pair, workers) for pair in pairs}
    every = [job for each in jobs.values() for job in each]
    found = run_all(every, plan.kept, plan.processes)
    return {pair: _by_landscape(each, found) for pair, each in jobs.items()}


def _by_landscape(jobs: Sequence[Search], found: Mapping[Search, Found]) -> Regrets:
    names = dict.fromkeys(job.landscape for job in jobs)
    return {
        name: np.array([found[job]["regrets"] for job in jobs if job.landscape == name])
        for name in names
    }


def every(plan: Plan) -> Iterator[Pair]:
    """Yield each contender with each belief; those without priors once."""
    for contender in dict.fromkeys((BASE, *plan.contenders)):
        takes = CONTENDERS[contender].takes_priors
        yield from ((contender, each) for each in (plan.beliefs if takes else [NONE]))


def _compare(row: str, plan: Plan, pairs: Sequence[Pair], workers: int) -> Iterator[Figure]:
    found = regrets(plan, pairs, workers)
    for pair in pairs:
        for measure in MEASURES:
            reaches = measure.trials <= min(plan.trials, CONTENDERS[pair[0]].trials)
            if pair != measure.base and measure.base in found and reaches:
                tasks = {
                    name: (ours, found[measure.base][name]) for name, ours in found[pair].items()
                }
                yield _figure(row, pair, measure, tasks, workers)


def _figure(row: str, pair: Pair, measure: "Measure", tasks: Tasks, workers: int) -> Figure:
    contender, belief = pair
    bound = TARGETS.get((belief, measure.name)) if contender == OURS else None
    wider = IN_PARALLEL if workers > 1 else 1.0
    at = f"{contender}, {belief}" + (f", {workers} workers" if workers > 1 else "")
    return Figure(
        row=row,
        name=measure.name,
        at=at,
        value=measure.compare(tasks),
        target=Target(round(bound * wider, 3)) if bound else None,
        beside=by_landscape(tasks, measure.compare),
    )


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A comparison with a base, a contender without a prior.

    trials: of the searches at least.
    """

    name: str
    base: Pair
    trials: int
    compare: Callable[[Tasks], Middle]


def _over(name: str, base: str, trials: int) -> Measure:
    compare = partial(regret_ratio, trials=trials)
    return Measure(name=name, base=(base, NONE), trials=trials, compare=compare)


MEASURES = (
    Measure(name=TO_TARGET, base=(BASE, NONE), trials=FEW, compare=trials_ratio),
    _over(REGRET.format(FEW), BASE, FEW),
    _over(REGRET.format(MANY), BASE, MANY),
    _over(OVER_GP, OPTUNA_GP, FEW),
)
