"""The dashed line of the learning curves: a trial that is worse there is stopped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from dashboards.analysis.curves.completed import completed_curves
from dashboards.analysis.curves.course import GRID
from dashboards.analysis.distributions import distributions
from dashboards.analysis.snapshot import Snapshot
from objectives import catalog
from objectives.contract import RecipeError
from spaces.judged import first_judged_epoch, startup_trials
from spaces.kin import kin_of
from spaces.pruning import PRUNING_RULES
from spaces.rungs import LEAST_KIN, ONE_IN, rungs_of
from storage.live.rungs import RungLimit
from storage.reader import StoreReader
from storage.rows import TrialRow

DASH = 0.02  # of the schedule, to both sides of a rung

Places = Sequence[tuple[float, float | None]]
Schedule = Mapping[str, int]


@dataclass(frozen=True)
class Limit:
    """The values that a trial must not be worse than.

    places: (share of the schedule, value), with a gap where the value is None; () for no line.
    where: the places and the trials for which it holds, after "pruned above this"; "" for all.
    """

    places: Places = ()
    where: str = ""


class LimitReader:
    """Reads the limit of a study, again where a trial has ended or has come to a rung."""

    def __init__(self) -> None:
        self._medians: Places = ()
        self._known: tuple[str, int] | None = None
        self._rungs: Sequence[RungLimit] = ()

    def read(
        self,
        store: StoreReader,
        snapshot: Snapshot,
        *,
        running: Sequence[TrialRow],
        best: Sequence[TrialRow],
        is_new: bool,
    ) -> Limit:
        """Read the limit as workers do.

        running, best: the trials that are drawn; the best ones count where none runs.
        is_new: whether a trial has ended since.
        """
        study = snapshot.study
        if study.folds or not PRUNING_RULES[study.pruning.rule].between_epochs:
            return Limit()
        if study.pruning.at_rungs:
            return self._at_rungs(store, snapshot, running, is_new=is_new)
        if is_new:
            self._medians = _read_medians(store, snapshot)
        first = min(_first_shares(snapshot, running or best), default=0.25)
        return Limit([place for place in self._medians if place[0] >= first - 1e-9])

    def _at_rungs(
        self, store: StoreReader, snapshot: Snapshot, running: Sequence[TrialRow], *, is_new: bool
    ) -> Limit:
        """Read the limit at each rung of the running trials, where all of these are of one kin."""
        drawn = _drawn(snapshot, running)
        kin = {kin_of(snapshot.study, snapshot.stored.config(trial.params)) for trial in drawn}
        if len(kin) != 1:
            return Limit()
        (of_all,) = kin
        known = of_all, sum(_reached(snapshot, trial) for trial in drawn)
        if is_new or known != self._known:
            self._known = known
            self._rungs = store.rung_limits(snapshot.study.name, of_all, ONE_IN)
        shares = _shares_by_rung(snapshot, drawn)
        places = [
            place
            for limit in self._rungs
            if limit.trials + 1 >= LEAST_KIN and limit.rung in shares and isfinite(limit.value)
            for place in _dash(shares[limit.rung], limit.value)
        ]
        return Limit(places, f" at a rung{f' ({of_all})' if of_all else ''}") if places else Limit()


def _read_medians(store: StoreReader, snapshot: Snapshot) -> Places:
    study = snapshot.study
    declared = distributions(study.space)
    others = completed_curves(snapshot.stored, declared, store.arrays(study.name))
    if len(others) < startup_trials(study):
        return []
    medians = ((share, others.median_until(share)) for share in GRID if share < 1)
    return [(share, median) for share, median in medians if median is not None]


def _first_shares(snapshot: Snapshot, trials: Sequence[TrialRow]) -> Iterator[float]:
    """Yield the share of its schedule from which each trial is judged."""
    for trial in _drawn(snapshot, trials):
        schedule = _schedule(snapshot, trial)
        if schedule and schedule["epochs"]:
            yield first_judged_epoch(snapshot.study, **schedule) / schedule["epochs"]


def _shares_by_rung(
    snapshot: Snapshot, trials: Sequence[TrialRow]
) -> Mapping[int, Sequence[float]]:
    """Return the shares of the trials' schedules at which each rung lies."""
    shares: dict[int, list[float]] = {}
    for trial in trials:
        if schedule := _schedule(snapshot, trial):
            for rung, epoch in rungs_of(snapshot.study, **schedule).items():
                shares.setdefault(rung, []).append(epoch / schedule["epochs"])
    return shares


def _reached(snapshot: Snapshot, trial: TrialRow) -> int:
    """Count the rungs that a running trial has reached."""
    if not (trial.last and (schedule := _schedule(snapshot, trial))):
        return 0
    epochs = rungs_of(snapshot.study, **schedule).values()
    return sum(epoch <= trial.last.epoch for epoch in epochs)


def _dash(shares: Sequence[float], value: float) -> Iterator[tuple[float, float | None]]:
    """Yield a dash over all places of a rung, and a gap."""
    yield max(0.0, min(shares) - DASH), value
    yield min(1.0, max(shares) + DASH), value
    yield 1.0, None


def _drawn(snapshot: Snapshot, trials: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the trials whose values are known."""
    return [trial for trial in trials if trial.params or not snapshot.study.space]


def _schedule(snapshot: Snapshot, trial: TrialRow) -> Schedule | None:
    """Return the schedule of a trial; None for values that no trial can have."""
    try:
        return catalog.schedule(snapshot.stored.objective, snapshot.stored.config(trial.params))
    except RecipeError:
        return None
