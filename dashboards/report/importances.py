"""How far each hyperparameter sets the best trials apart from the others, and how sure that is."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, create_trial

from dashboards.analysis.distributions import distributions
from dashboards.report.lines import Step, TrialLine
from spaces.space import Space
from spaces.study import Study

FEWEST = 20  # finished trials; below that the intervals reach from 0 to nearly all
MOST = 300  # of more trials, resampling takes seconds and the intervals hardly move
RESAMPLES = 100
# The best tenth, but 5 at least: Optuna asks for that many.
BEST_SHARE, FEWEST_BEST = 0.1, 5
WITHIN = (5, 95)  # percentiles


@dataclass(frozen=True, kw_only=True)
class Importance:
    """One hyperparameter's share of what sets the best trials apart, with its 90 % interval."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Importances:
    """The importances of a study, the largest first.

    trials: how many finished trials they are computed from.
    best: how many of these count as the best.
    """

    trials: int
    best: int
    rows: Sequence[Importance]


def find_importances(study: Study, finished: Sequence[TrialLine], step: Step) -> Importances | None:
    """Compute the importances by PED-ANOVA (Watanabe 2023, arXiv:2304.10255), shares of sum 1.

    The interval comes from trials that are drawn again with replacement. None below 20 finished
    trials, and where nothing differs.

    finished: the trials that finished; those with values of other programs are left out.
    """
    searched = _searched(study.space)
    whole = [trial for trial in finished if _is_of(study.space, trial)]
    random = np.random.default_rng(abs(study.seed))
    if len(whole) > MOST:
        chosen = np.sort(random.choice(len(whole), MOST, replace=False))
        whole = [whole[at] for at in chosen]
    if len(whole) < FEWEST or not searched:
        return None
    evaluated = _Evaluated(study, whole, searched)
    shares, drawn = evaluated.shares(np.arange(len(whole))), []
    for count in range(RESAMPLES):
        step("importances", count, RESAMPLES)
        drawn.append(evaluated.shares(random.integers(len(whole), size=len(whole))))
    rows = [_importance(name, shares[name], [each[name] for each in drawn]) for name in searched]
    rows.sort(key=lambda row: -row.share)
    return Importances(trials=len(whole), best=evaluated.best, rows=rows)


class _Evaluated:
    """Some trials with which Optuna's evaluator is asked again and again."""

    def __init__(
        self, study: Study, trials: Sequence[TrialLine], searched: Mapping[str, BaseDistribution]
    ) -> None:
        from optuna.importance import PedAnovaImportanceEvaluator  # 1.5 s: it loads scikit-learn

        self._names = list(searched)
        share = max(BEST_SHARE, FEWEST_BEST / len(trials))
        self.best = math.ceil(share * len(trials))
        self._evaluator = PedAnovaImportanceEvaluator(target_quantile=share)
        numbered = optuna.create_study(direction=study.direction)
        numbered.add_trials(_as_optunas(trial, searched) for trial in trials)
        self._trials = numbered.get_trials(deepcopy=False)
        self._storage = _Drawn()
        self._study = optuna.create_study(storage=self._storage, direction=study.direction)

    def shares(self, chosen: NDArray[np.int64]) -> dict[str, float]:
        """Return each hyperparameter's share; equal ones where no trial is better than others.

        chosen: the places of the trials, some of them several times.
        """
        self._storage.drawn = [self._trials[at] for at in chosen]
        with warnings.catch_warnings():
            # Of few trials with a conditional hyperparameter: the interval shows that.
            warnings.simplefilter("ignore")
            found = self._evaluator.evaluate(self._study)
        total = sum(found.values())
        if not total > 0:
            return dict.fromkeys(self._names, 1 / len(self._names))
        return {name: float(found.get(name, 0.0)) / total for name in self._names}


class _Drawn(InMemoryStorage):
    """A storage whose trials are replaced together: adding them takes twice as long as the rest."""

    drawn: Sequence[FrozenTrial] = ()

    def get_all_trials(self, *_: object, **__: object) -> list[FrozenTrial]:
        """Return the trials that were drawn last."""
        return list(self.drawn)


def _searched(space: Space) -> Mapping[str, BaseDistribution]:
    """Return the distribution of each parameter that has more than one value."""
    return {name: each for name, each in distributions(space).items() if not each.single()}


def _is_of(space: Space, trial: TrialLine) -> bool:
    """Say whether the space can draw the values of a trial."""
    takes = ((space.get(name), value) for name, value in trial.params.items())
    return space.is_whole(trial.params) and all(
        param and param.takes(value) for param, value in takes
    )


def _as_optunas(trial: TrialLine, searched: Mapping[str, BaseDistribution]) -> FrozenTrial:
    params = {name: value for name, value in trial.params.items() if name in searched}
    return create_trial(
        params=params, distributions={name: searched[name] for name in params}, value=trial.value
    )


def _importance(name: str, share: float, drawn: Sequence[float]) -> Importance:
    low, high = np.percentile(drawn, WITHIN)
    return Importance(
        name=name, share=share, low=min(float(low), share), high=max(float(high), share)
    )
