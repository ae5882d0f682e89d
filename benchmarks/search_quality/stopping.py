"""Figures of pruning: epochs until a top trial, and regret at a budget of epochs, by rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, Middle, Target
from benchmarks.search_quality.jobs import run_all
from benchmarks.search_quality.judges import NONE, OURS
from benchmarks.search_quality.pruning import FEW, MANY, PrunedStudy
from search.samplers.observed import Floats

RESAMPLED = 1000
TO_TOP, IN_WORST, AT_MOST = 0.6, 0.8, [0.025, 0.975]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The studies of a run.

    judges, families: the names of rules and of families of curves.
    seeds: the number of seeds, the same ones for all rules.
    kept: the folder of finished studies.
    processes: studies at the same time.
    """

    judges: Sequence[str]
    families: Sequence[str]
    seeds: int
    kept: Path
    processes: int


def stopping(plan: Plan) -> Iterator[Figure]:
    """Compare the rules."""
    found = _found(plan)
    best = min(
        _mean(each["many"]).median for name, each in found.items() if name.startswith("Optuna")
    )
    for judge, each in found.items():
        ratios = _ratios(each["to_top"], found[NONE]["to_top"])
        by_family = dict(zip(plan.families, np.exp(ratios[0]).tolist(), strict=True))
        is_ours = judge == OURS
        yield Figure(
            row="pruning",
            name="epochs to a top trial over no pruning",
            at=judge,
            value=_middle(np.exp(ratios.mean(axis=1)), plan.seeds),
            target=Target(TO_TOP) if is_ours else None,
            beside=by_family,
        )
        yield Figure(
            row="pruning",
            name="the same in the worst family",
            at=judge,
            value=_middle(np.exp(ratios.max(axis=1)), plan.seeds),
            target=Target(IN_WORST) if is_ours else None,
        )
        for trials, key in ((FEW, "few"), (MANY, "many")):
            yield Figure(
                row="pruning",
                name=f"regret after the epochs of {trials} full trials",
                at=judge,
                value=_mean(each[key]),
                target=Target(round(best, 3)) if is_ours and key == "many" else None,
            )


def _found(plan: Plan) -> dict[str, dict[str, Floats]]:
    """Run the studies and return each number of them by rule: (families, seeds)."""
    jobs = {
        judge: [
            PrunedStudy(judge=judge, family=family, seed=seed)
            for family in plan.families
            for seed in range(plan.seeds)
        ]
        for judge in dict.fromkeys((NONE, *plan.judges))
    }
    found = run_all([job for each in jobs.values() for job in each], plan.kept, plan.processes)
    return {
        judge: {
            key: np.array([found[job][key] for job in each]).reshape(-1, plan.seeds)
            for key in ("to_top", "few", "many")
        }
        for judge, each in jobs.items()
    }


def _ratios(ours: Floats, base: Floats) -> Floats:
    """Return the log ratio of the mean epochs in each family: (1 + resamples, families).

    The first row is of the seeds as they are.
    """
    chosen = _chosen(ours.shape[1])
    ratios: Floats = np.log(ours[:, chosen].mean(axis=2) / base[:, chosen].mean(axis=2)).T
    return ratios


def _mean(values: Floats) -> Middle:
    return _middle(values[:, _chosen(values.shape[1])].mean(axis=(0, 2)), values.shape[1])


def _middle(resampled: Floats, seeds: int) -> Middle:
    low, high = np.quantile(resampled, AT_MOST).tolist()
    return Middle(median=float(resampled[0]), low=low, high=high, of=seeds)


def _chosen(seeds: int) -> np.ndarray:
    """Return the seeds of each resample, the same ones on both sides of a ratio."""
    resampled = np.random.default_rng(0).integers(seeds, size=(RESAMPLED, seeds))
    return np.concatenate([np.arange(seeds)[np.newaxis], resampled])
