"""One study of random trials under a rule that stops some: what its epochs find."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from random import Random
from statistics import fmean

import numpy as np

from benchmarks.search_quality.curves import Trial
from benchmarks.search_quality.jobs import Found, state_of
from benchmarks.search_quality.judges import JUDGES, Judge
from benchmarks.search_quality.table import CURVES

DRAWS = 4000  # trials of a family, whose quantiles say which are top and which usual
TOP, BEST, USUAL = 0.05, 0.01, 0.5
FEW, MANY = 20, 40  # full trials, after whose epochs the regret is measured
MOST = 150  # full trials, at whose epochs a study ends
CODE = tuple(f"benchmarks.search_quality/{name}.py" for name in ("curves", "pruning"))
OURS = ("benchmarks.search_quality/judges.py", "search/pruners/*.py")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The losses of a family by rank: the best hundredth, the top twentieth, the median.

    epochs: of a trial, in the mean.
    """

    best: float
    top: float
    usual: float
    epochs: float

    def regret(self, truth: float) -> float:
        """Return 0 for the best hundredth, 1 for the median."""
        return max(0.0, (truth - self.best) / (self.usual - self.best))


@dataclass(frozen=True, kw_only=True)
class PrunedStudy:
    """One study, as a piece of work.

    judge, family: their names.
    """

    judge: str
    family: str
    seed: int
    workers: int = 1

    @property
    def file(self) -> str:
        """The file of this rule, for this state of the code."""
        code = CODE if self.judge.startswith("Optuna") else (*CODE, *OURS)
        return f"{self.judge.replace(' ', '')}-{state_of(code)}.jsonl".replace("/", "")

    def run(self) -> Found:
        """Run the study; the result is what it found."""
        family = CURVES[self.family]
        judge = JUDGES[self.judge](family.longest)
        scale = scale_of(self.family)
        return asdict(follow(judge, family.draw, scale, seed=self.seed, workers=self.workers))


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one study found: epochs until a top trial had ended, and regrets at two budgets."""

    to_top: float
    few: float
    many: float


@cache
def scale_of(family: str) -> Scale:
    """Measure a family by many of its trials."""
    random = Random("scale")
    drawn = [CURVES[family].draw(random) for _ in range(DRAWS)]
    best, top, usual = np.quantile([each.truth for each in drawn], [BEST, TOP, USUAL]).tolist()
    epochs = fmean(each.epochs for each in drawn)
    return Scale(best=best, top=top, usual=usual, epochs=epochs)


def follow(
    judge: Judge, draw: Callable[[Random], Trial], scale: Scale, *, seed: int, workers: int = 1
) -> Spent:
    """Run a study of random trials; workers take turns, an epoch each."""
    random = Random(f"curves/{seed}")
    running: list[tuple[int, Trial, int]] = []
    began, spent, best = 0, 0, float("inf")
    to_top: float | None = None
    at: dict[int, float] = {}
    budgets = {trials: round(trials * scale.epochs) for trials in (FEW, MANY)}
    while spent < MOST * scale.epochs and (to_top is None or MANY not in at):
        while len(running) < workers:
            trial = draw(random)
            judge.begin(began, trial)
            running.append((began, trial, 0))
            began += 1
        number, trial, epoch = running.pop(0)
        epoch, spent = epoch + 1, spent + 1
        is_whole = epoch == trial.epochs
        if is_whole or judge.stops(number, epoch):
            judge.end(number, is_whole)
            best = min(best, trial.truth) if is_whole else best
        else:
            running.append((number, trial, epoch))
        if to_top is None and best <= scale.top:
            to_top = spent
        at |= {trials: scale.regret(best) for trials in budgets if budgets[trials] == spent}
    return Spent(to_top=to_top or spent, few=at[FEW], many=at[MANY])
