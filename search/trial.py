"""One trial, followed from its drawn configuration to its outcome."""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial, TrialState

from objectives import catalog
from objectives.contract import Attempt, EpochResult, Objective
from search.outcomes import (
    Failed,
    Finished,
    HandedBack,
    Lost,
    Outcome,
    Pruned,
    failure,
    out_of_range,
)
from search.patience import Patience
from search.pruners import Curve, is_hopeless
from spaces.space import TrialConfig
from spaces.study import Study
from storage.errors import DatabaseUnreachable, LeaseLost
from storage.rows import Stop
from storage.store import Claim, Store


@dataclass
class Trial:
    """A claimed trial on its way: how it is configured and what it has shown so far.

    completed: gives the curves of the trials that it is compared with.
    patiently: calls the database until it answers. stop: what `search stop` asked for, as the
    database last said.
    """

    study: Study
    claim: Claim
    store: Store
    config: TrialConfig
    completed: Callable[[], list[Curve]]
    patiently: Patience
    results: dict[int, EpochResult] = field(default_factory=dict)
    stop: Stop | None = None

    @property
    def curve(self) -> Curve:
        """The study's metric by epoch, with this trial's schedule."""
        values = {epoch: self.metric(result) for epoch, result in self.results.items()}
        return curve_of(self.study, self.config, values)

    def metric(self, result: EpochResult) -> float:
        """Give the number by which the study judges an epoch."""
        return result.metrics[self.study.metric]

    def record(self, result: EpochResult) -> None:
        """Keep an epoch's numbers, here and in the database."""
        self.results[result.epoch] = result
        self.stop = self.patiently(
            lambda: self.store.record(
                self.claim,
                result.epoch,
                result.metrics,
                self.metric(result),
                result.seconds,
                result.images,
            )
        )


def run_trial(
    trial: Trial, objective: Objective, attempt: Attempt, is_draining: Callable[[], bool]
) -> Outcome:
    """Follow one trial from its drawn configuration to its outcome.

    is_draining: asked after each new epoch; a yes hands the trial back for another attempt.
    Raises DatabaseUnreachable when the database stays away.
    """
    name, number = trial.study.name, trial.claim.number
    known = len(trial.patiently(lambda: trial.store.epochs(name, number)))
    try:
        with closing(objective(trial.config, attempt)) as results:  # type: ignore[type-var]
            for result in results:
                trial.record(result)
                # What a checkpoint carries was judged by the attempt that trained it.
                if result.epoch >= known and (outcome := _judge(trial, result, is_draining)):
                    return outcome
        return _ended(trial)
    except LeaseLost:
        return Lost()
    except DatabaseUnreachable:
        raise
    except Exception as error:  # noqa: BLE001 - training code may raise anything
        return failure(error)


def completed_curves(
    study: Study, trials: Iterable[FrozenTrial], known: dict[int, Curve]
) -> list[Curve]:
    """Give the curves of the trials that went through their schedule.

    known: curves by trial number, filled here: a completed one never changes, and rebuilding 588
    of them cost 40 ms an epoch.
    """
    for trial in trials:
        if trial.state == TrialState.COMPLETE and trial.number not in known:
            config = study.config(trial.params)
            known[trial.number] = curve_of(study, config, trial.intermediate_values)
    return list(known.values())


def curve_of(study: Study, config: TrialConfig, values: Mapping[int, float]) -> Curve:
    """Give the study's metric by epoch, with the schedule that `config` runs through."""
    return Curve(values, **catalog.schedule(study.objective, config))


def _judge(trial: Trial, result: EpochResult, is_draining: Callable[[], bool]) -> Outcome | None:
    if broken := out_of_range(result.metrics, catalog.describe(trial.study.objective).metrics):
        return broken
    if not math.isfinite(trial.metric(result)):
        return Failed("diverged", f"{trial.study.metric} is not finite at epoch {result.epoch}")
    curve = trial.curve
    if is_hopeless(trial.study, curve, trial.completed()):
        return Pruned(result.epoch)
    # After its last epoch a trial is done, not drained.
    if result.epoch < curve.epochs and (trial.stop or is_draining()):
        return HandedBack("drained")
    return None


def _ended(trial: Trial) -> Outcome:
    """Give the value of a trial that ended by itself: its best or its last epoch's."""
    values = trial.curve.values
    if not values:
        return Failed("code_error", "the objective ended without an epoch; let it yield one")
    pick = min if trial.study.direction == "minimize" else max
    epoch = max(values) if trial.study.value == "last" else pick(values, key=values.__getitem__)
    return Finished(values[epoch], epoch)
