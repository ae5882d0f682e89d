"""One trial, followed from its drawn configuration to its ending."""

import logging
import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from statistics import fmean
from typing import Any

from dashboards.analysis.folds import Metrics, fold_of, fold_values, folds_done, value_epochs
from objectives import catalog
from objectives.contract import Attempt, ContractError, EpochResult, Objective, Repeated
from search.pruners.curve import Curve
from search.pruners.others import Others
from search.pruners.pruner import PRUNERS, Pruner
from search.samplers.at_least import lacks_finished
from search.worker import course
from search.worker.endings import (
    Ending,
    Failed,
    Finished,
    HandedBack,
    Lost,
    Pruned,
    diverged,
    failure,
    not_finite,
    out_of_range,
)
from search.worker.leased_trial import Halt, LeasedTrial
from spaces.judged import startup_trials
from spaces.kin import kin_of
from spaces.space import TrialConfig
from spaces.study import Study
from storage.errors import DatabaseUnreachable, Unreachable
from storage.rows import HandBackReason

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Trial:
    """A leased trial while it is trained: its configuration and the epochs so far.

    others: questions about the trials that this one is compared with.
    earlier: the epochs that were recorded before this attempt, in order.
    furthest: the last epoch that an earlier attempt recorded, replaced ones included.
    results: the epochs of this attempt's training, those before it included.
    judged_epoch: the last epoch at which this attempt was judged.
    is_as_recorded: whether all results so far are recorded, with these numbers.
    """

    leased: LeasedTrial
    config: TrialConfig
    others: Others
    earlier: list[EpochResult] = field(default_factory=list)
    furthest: int = 0
    results: dict[int, EpochResult] = field(default_factory=dict)
    judged_epoch: int = 0
    is_as_recorded: bool = True

    @property
    def study(self) -> Study:
        """The study that the trial belongs to."""
        return self.leased.worker.study

    @property
    def epochs(self) -> list[EpochResult]:
        """Every epoch of the trial, in order; where code is not deterministic, of one training."""
        is_one = self.results and not self.leased.worker.is_deterministic
        earlier = () if is_one else self.earlier
        every = {result.epoch: result for result in earlier} | self.results
        return [every[epoch] for epoch in sorted(every)]

    @property
    def values(self) -> dict[int, float]:
        """The study's metric by epoch."""
        return {epoch: self.value(epoch) for epoch in self.results}

    @property
    def metrics(self) -> dict[int, Metrics]:
        """All reported metrics by epoch."""
        return {epoch: result.metrics for epoch, result in self.results.items()}

    @cached_property
    def schedule(self) -> Mapping[str, int]:
        """The length of the schedule and of its beginning, as the catalog has them."""
        return catalog.schedule(self.leased.worker.stored.objective, self.config)

    @property
    def curve(self) -> Curve:
        """The study's metric by epoch, with this trial's schedule and kin."""
        kin, judged = kin_of(self.study, self.config), self.judged_epoch
        return Curve(values=self.values, **self.schedule, kin=kin, judged_epoch=judged)

    @property
    def pruner(self) -> Pruner:
        """The decisions of the study's pruning rule."""
        return PRUNERS[self.study.pruning.rule]

    @cached_property
    def known_metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """The catalog's description of each metric of the objective."""
        return catalog.describe(self.leased.worker.stored.objective).metrics

    def value(self, epoch: int) -> float:
        """Return the number by which the study judges an epoch, NaN when it diverged there.

        NaN even if a saturated ruler still reports a good value, so that the sampler ranks it last.
        """
        if self.divergence(epoch):
            return math.nan
        return self.results[epoch].metrics[self.study.metric]

    def divergence(self, epoch: int) -> Failed | None:
        """Return the failure of an epoch whose losses are not finite or exploded, else None.

        Losses are compared with the fold's first epoch, because each fold trains a new network. Of
        a metric that the catalog does not know, no size means that it exploded.
        """
        losses = [name for name, known in self.known_metrics.items() if known["is_loss"]]
        now = self.results[epoch].metrics
        of_fold = (each for each in self.results.values() if fold_of(each.metrics) == fold_of(now))
        first = next(of_fold).metrics  # they came in order
        own = self.study.metric
        if own in self.known_metrics:
            return diverged(epoch, [own, *losses], first, now)
        return not_finite(epoch, own, first, now) or diverged(epoch, losses, first, now)

    def read_earlier(self) -> None:
        """Read the epochs that were recorded before this attempt; before the first is none."""
        if self.leased.claim.attempt == 1:
            return
        rows = self.leased.store.epochs(self.study.name, self.leased.claim.number)
        self.earlier = [
            EpochResult(
                epoch=row.epoch, metrics=row.metrics, seconds=row.seconds, images=row.images
            )
            for row in rows
        ]
        if not self.leased.worker.is_deterministic:
            rows += self.leased.store.replaced_epochs(self.study.name, self.leased.claim.number)
        self.furthest = max((row.epoch for row in rows), default=0)
        if self.study.at_least:
            # Where it went on for its option's sake, it is not judged a second time, by then alone;
            # at a rung that it passed during an outage, it is judged now.
            noted = self.leased.store.rungs(self.study.name, self.leased.claim.number)
            before = [row.epoch for row in noted if row.epoch < self.furthest]
            self.judged_epoch = max(before, default=0)

    def send(self, result: EpochResult) -> None:
        """Keep an epoch's numbers here, and write them to the database as soon as it answers."""
        self.results[result.epoch] = result
        # Behind one that differs the recorded ones are gone.
        is_recorded = course.is_recorded(result, self.earlier)
        self.is_as_recorded = self.is_as_recorded and is_recorded
        if not self.is_as_recorded:
            self.leased.outbox.send(result, self.value(result.epoch))


def run_trial(trial: Trial, objective: Objective, attempt: Attempt) -> Ending:
    """Follow one trial from its drawn configuration to its ending.

    While the database is away training goes on, its results wait and nothing is pruned.
    Raises Halted when the attempt may not go on to the epoch's end, DatabaseUnreachable when the
    database stays away.
    """
    leased = trial.leased
    ending = _train(trial, objective, attempt)
    leased.worker.retries.call(leased.outbox.empty)
    if isinstance(ending, Finished) and trial.pruner.at_end:
        retries = leased.worker.retries
        retries.call(trial.pruner.at_end, trial.study, trial.curve, trial.others)
    return Lost() if leased.halt is Halt.LOST else ending


def _train(trial: Trial, objective: Objective, attempt: Attempt) -> Ending:
    trial.read_earlier()
    try:
        while True:
            try:
                return _follow(trial, objective, attempt)
            except (
                course.Unrecorded
            ) as gap:  # killed after it had saved an epoch, before its report
                log.warning("trial %d goes back: %s", trial.leased.claim.number, gap)
                attempt = course.from_older_files(attempt)
    except Unreachable:
        raise
    except Exception as error:  # noqa: BLE001 - training code may raise anything
        return failure(error)


def _follow(trial: Trial, objective: Objective, attempt: Attempt) -> Ending:
    resumes = attempt.resume_from is not None
    with closing(objective(trial.config, attempt)) as results:  # type: ignore[type-var]
        for result in course.in_order(results, trial.earlier, resumes=resumes):
            course.check_metric(result, trial.study.metric)
            trial.send(result)
            if ending := _judge(trial, result):
                return ending
    return _ended(trial)


def _judge(trial: Trial, result: EpochResult) -> Ending | None:
    if trial.leased.halt is Halt.LOST:
        return Lost()
    broken = out_of_range(result.metrics, trial.known_metrics) or trial.divergence(result.epoch)
    if broken:
        return broken
    # An earlier attempt was judged where it went on.
    is_judged = result.epoch < trial.furthest
    if not is_judged and (why := _why_stopped(trial, result)):
        return Pruned(result.epoch, why)
    # A shipped objective yields what it has in its checkpoint, which takes no time.
    is_trained = not (
        isinstance(result, Repeated) or (is_judged and trial.leased.worker.is_deterministic)
    )
    if trial.leased.halt and is_trained and not _is_last(trial, result):
        return HandedBack(HandBackReason.DRAINED)
    return None


def _is_last(trial: Trial, result: EpochResult) -> bool:
    """Say whether an epoch is the trial's last one, after which it is done and not drained.

    No epoch is known to be the last where the schedule's length is unknown.
    """
    if trial.study.folds:
        return folds_done(result.metrics) >= trial.study.folds
    return 0 < trial.schedule["epochs"] <= result.epoch


def _why_stopped(trial: Trial, result: EpochResult) -> str | None:
    """Say why to prune; None to go on, as always during an outage and after the last epoch.

    What was not judged is judged at a later epoch.
    """
    if not trial.leased.outbox.is_empty or _is_last(trial, result):
        return None
    try:
        why = _why(trial, result)
        # Asked last: a trial that goes on for its option's sake counts at the rung as well.
        others = partial(trial.leased.worker.store.arrays, trial.study.name)
        if why and lacks_finished(trial.study, trial.config, others):
            why = None
            if trial.pruner.at_end:  # after an outage it may have passed other rungs since
                trial.pruner.at_end(trial.study, trial.curve, trial.others)
    except DatabaseUnreachable:
        return None
    trial.judged_epoch = result.epoch
    return why


def _why(trial: Trial, result: EpochResult) -> str | None:
    if trial.study.folds:
        return _why_beaten(trial, result)
    stops = trial.pruner.between_epochs
    return stops(trial.study, trial.curve, trial.others) if stops else None


def _why_beaten(trial: Trial, result: EpochResult) -> str | None:
    """Say why the trial's folds are worse than the best trial's; judged where a fold ends."""
    stops = trial.pruner.between_folds
    is_fold_over = fold_of(result.metrics) == folds_done(result.metrics)
    if stops is None or not is_fold_over:
        return None
    folds = fold_values(trial.study, trial.values, trial.metrics)
    return stops(trial.study, folds, _best_folds(trial))


def _best_folds(trial: Trial) -> dict[int, float]:
    """Read the best completed trial's values by fold; none while too few have completed."""
    study, store = trial.study, trial.leased.worker.store
    needed = max(1, startup_trials(study))
    best = store.best(study.name, needed)
    if len(best) < needed:
        return {}
    epochs = store.epochs(study.name, best[0])
    values = {epoch.epoch: epoch.value for epoch in epochs}
    return fold_values(study, values, {epoch.epoch: epoch.metrics for epoch in epochs})


def _ended(trial: Trial) -> Ending:
    """Compute the value of a trial whose schedule is over: that of its best or its last epoch.

    With folds it is the mean of their values; the trial must have gone through all folds.
    """
    if not trial.results:
        raise ContractError("the objective ended without an epoch", "let it yield one")
    done, folds = folds_done(trial.results[max(trial.results)].metrics), trial.study.folds
    if done < folds:
        raise ContractError(
            f"the objective ended after {done} of {folds} folds",
            "let it train all of them and say with each epoch how many are over (folds_done)",
        )
    epochs = value_epochs(trial.study, trial.values, trial.metrics).values()
    return Finished(fmean(trial.value(epoch) for epoch in epochs), tuple(epochs))
