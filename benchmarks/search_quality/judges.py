"""Rules that stop trials, driven epoch by epoch: none, Optuna's pruners, and ours."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
)
from optuna.trial import TrialState

from benchmarks.search_quality.contenders import study_of
from benchmarks.search_quality.curves import Trial
from dashboards.analysis.curves.completed import CompletedCurves
from search.pruners.curve import Curve
from search.pruners.others import Others
from search.pruners.pruner import PRUNERS
from spaces.space import Space
from storage.engine.rungs import Arrival, Standing


class Judge(Protocol):
    """A rule in one study."""

    def begin(self, number: int, trial: Trial) -> None:
        """Take note of a trial that begins."""
        ...

    def stops(self, number: int, epoch: int) -> bool:
        """Say, after an epoch that is not the last, whether to stop the trial."""
        ...

    def end(self, number: int, is_whole: bool) -> None:
        """Take note of a trial's end, at the end of its schedule or before."""
        ...


class Never:
    """No trial is stopped."""

    def begin(self, number: int, trial: Trial) -> None:
        """Do nothing."""

    def stops(self, number: int, epoch: int) -> bool:
        """Say no."""
        return False

    def end(self, number: int, is_whole: bool) -> None:
        """Do nothing."""


class Optunas:
    """A pruner of Optuna's."""

    def __init__(self, pruner: BasePruner) -> None:
        self._study = optuna.create_study(pruner=pruner)
        self._open: dict[int, tuple[Trial, optuna.Trial]] = {}

    def begin(self, number: int, trial: Trial) -> None:
        """Ask for a trial."""
        self._open[number] = trial, self._study.ask()

    def stops(self, number: int, epoch: int) -> bool:
        """Report the epoch and ask the pruner."""
        trial, asked = self._open[number]
        asked.report(trial.values[epoch - 1], epoch)
        return asked.should_prune()

    def end(self, number: int, is_whole: bool) -> None:
        """Tell the study."""
        trial, asked = self._open.pop(number)
        if is_whole:
            asked.report(trial.values[-1], trial.epochs)
            self._study.tell(asked, min(trial.values))
        else:
            self._study.tell(asked, state=TrialState.PRUNED)


class Ours:
    """A rule of ours, with the other trials in memory."""

    def __init__(self, rule: str) -> None:
        self._study = study_of(Space(), trials=TRIALS, seed=0, sampler="random")
        self._why_stopped = PRUNERS[rule].between_epochs
        self._open: dict[int, Trial] = {}
        self._whole: list[Trial] = []
        self._arrived: dict[tuple[int, str], list[float]] = {}

    def begin(self, number: int, trial: Trial) -> None:
        """Keep the trial."""
        self._open[number] = trial

    def stops(self, number: int, epoch: int) -> bool:
        """Ask the rule, which judges the curve until this epoch."""
        trial = self._open[number]
        curve = Curve(
            values=dict(enumerate(trial.values[:epoch], 1)),
            epochs=trial.epochs,
            kin=trial.kin,
            judged_epoch=epoch - 1,
        )
        others = Others(completed=self._completed, note=self._note)
        return self._why_stopped is not None and bool(self._why_stopped(self._study, curve, others))

    def end(self, number: int, is_whole: bool) -> None:
        """Keep the curve of a whole trial."""
        trial = self._open.pop(number)
        if is_whole:
            self._whole.append(trial)

    def _note(self, arrival: Arrival) -> Standing:
        there = self._arrived.setdefault((arrival.rung, arrival.kin), [])
        there.append(arrival.value)
        better = sum(value < arrival.value for value in there)
        return Standing(rank=1 + better, among=len(there))

    def _completed(self) -> CompletedCurves:
        lengths = np.array([trial.epochs for trial in self._whole], dtype=np.int64)
        return CompletedCurves(_Whole(self._whole), lengths)


@dataclass(frozen=True)
class _Whole:
    trials: Sequence[Trial]

    def best_until(self, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the best value of each trial until an epoch of its own."""
        upto = zip(self.trials, epochs.tolist(), strict=True)
        return np.array([min(trial.values[:epoch], default=math.nan) for trial, epoch in upto])


NONE, OURS, TRIALS = "none", "rungs", 60
# Given the longest schedule.
JUDGES: Mapping[str, Callable[[int], Judge]] = {
    NONE: lambda _: Never(),
    "Optuna Median(5, 0)": lambda _: Optunas(MedianPruner(5, 0)),
    "Optuna Median(8, T/4)": lambda longest: Optunas(MedianPruner(8, longest // 4)),
    "Optuna Percentile(25)": lambda _: Optunas(PercentilePruner(25.0, 5, 0)),
    "Optuna SHA(1, 4)": lambda _: Optunas(SuccessiveHalvingPruner(1, 4)),
    "Optuna SHA(3, 3)": lambda _: Optunas(SuccessiveHalvingPruner(3, 3)),
    "Optuna Hyperband(1, T, 3)": lambda longest: Optunas(HyperbandPruner(1, longest, 3)),
    "Optuna Hyperband(3, T, 3)": lambda longest: Optunas(HyperbandPruner(3, longest, 3)),
    "median": lambda _: Ours("median"),
    OURS: lambda _: Ours(OURS),
}
