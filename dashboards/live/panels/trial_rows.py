"""The rows of the table of trials: one trial each, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dashboards.analysis import numbers
from dashboards.analysis.badges import of_line
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_interval, shown_metric
from dashboards.analysis.trials.measures import interval_of, value_metrics
from dashboards.analysis.trials.state import state_of
from dashboards.analysis.trials.ties import Compared
from dashboards.analysis.wording import epochs
from dashboards.marks.bars import Whisker, whisker
from dashboards.marks.scale import Scale
from objectives.contract import BALANCED_ACCURACY, MACRO_AUC
from spaces.shown import shown
from storage.rows import Outcome, TrialRow

WEAKEST = "weakest"  # not a metric, but the least recall of a class
FURTHER = (BALANCED_ACCURACY, MACRO_AUC, WEAKEST)  # columns
MOST_PARAMS = 6
MOST_LETTERS = 120  # of a reason
ROOM = 0.03  # at both ends of the scale of intervals


@dataclass(frozen=True)
class Cell:
    """A value in words, with the tone and the title of its cell."""

    text: str
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trial.

    shape: of its state; "" for a finished one that is not the best.
    tone: of the row.
    value: the study's metric; of a trial without a value that of its last epoch.
    interval: None without one.
    how: how it ended, or that it runs; "" for a finished one.
    """

    number: int
    shape: str
    tone: str
    value: Cell
    interval: Whisker | None
    how: Cell
    more: Sequence[Cell]
    epochs: str
    params: Sequence[Cell]
    badges: Sequence[str]
    attempts: str


@dataclass(frozen=True)
class TrialTable:
    """Some trials of an overview, and all that their rows share."""

    overview: Overview
    trials: Sequence[TrialRow]

    @cached_property
    def more(self) -> list[str]:
        """The further columns: those of FURTHER that any of the trials has, but for the metric."""
        return [
            name
            for name in FURTHER
            if name != self.overview.study.metric
            and any(self._more(trial, name) is not None for trial in self.trials)
        ]

    @cached_property
    def params(self) -> list[str]:
        """The first searched hyperparameters; `epochs` has a column anyway."""
        names = [name for name in self.overview.study.space.names if name != "epochs"]
        return names[:MOST_PARAMS]

    @cached_property
    def scale(self) -> Scale | None:
        """The one scale of all intervals; None where no trial has one."""
        best = self.overview.snapshot.best
        trials = [*self.trials, best] if best else self.trials
        found = [bounds for trial in trials if (bounds := self._bounds(trial))]
        if not any(self._bounds(trial) for trial in self.trials):
            return None
        low, high = min(each[0] for each in found), max(each[2] for each in found)
        return Scale(low=low, high=high).padded(ROOM)

    @property
    def band(self) -> Whisker | None:
        """The interval of the best trial."""
        best = self.overview.snapshot.best
        return self._interval(best, "band") if best else None

    def rows(self) -> list[Row]:
        """Return a row per trial."""
        return [self._row(trial) for trial in self.trials]

    def _row(self, trial: TrialRow) -> Row:
        best = self.overview.snapshot.best
        is_best = best is not None and trial.number == best.number
        is_tied = trial.number in self.overview.ties.tied
        has_ties = bool(self.overview.ties.tied)
        tones = ["lead"] if is_best else []
        tones += ["tied"] if is_tied or (is_best and has_ties) else []
        earned = self.overview.frame.badges.get(trial.number) or of_line(trial.badges or "")
        return Row(
            number=trial.number,
            shape="best" if is_best else "" if _is_finished(trial) else state_of(trial).shape,
            tone=" ".join(tones),
            value=_value(self.overview.study.metric, trial),
            interval=self._interval(trial, "tied" if is_tied or is_best else "plain"),
            how=_how(trial),
            more=[self._cell(trial, name) for name in self.more],
            epochs=epochs(self.overview.snapshot, trial),
            params=[_param(trial, name) for name in self.params],
            # How it ended stands beside it.
            badges=[badge for badge in earned if badge != trial.outcome],
            attempts=f"attempt {trial.attempts}" if trial.attempts > 1 else "",
        )

    def _bounds(self, trial: TrialRow) -> tuple[float, float, float] | None:
        """Return a trial's value between the ends of its interval; None without one."""
        value, (low, high) = trial.value, interval_of(self.overview.study, trial)
        if value is None or low is None or high is None:
            return None
        return (low, value, high) if low <= value <= high else None

    def _interval(self, trial: TrialRow, tone: str) -> Whisker | None:
        bounds = self._bounds(trial)
        if bounds is None or self.scale is None:
            return None
        return whisker(
            self.scale,
            bounds,
            tone,
            shown_interval(self.overview.study.metric, bounds[0], bounds[2]),
        )

    def _more(self, trial: TrialRow, name: str) -> float | None:
        if name == WEAKEST:
            compared = self._compared.get(trial.number)
            return compared.recall if compared else None
        return value_metrics(self.overview.study, trial).get(name)

    def _cell(self, trial: TrialRow, name: str) -> Cell:
        value = self._more(trial, name)
        if name == MACRO_AUC:
            return Cell(numbers.decimals(value))
        compared = self._compared.get(trial.number) if name == WEAKEST else None
        title = shown(compared.weakest) if compared and compared.weakest else ""
        return Cell(numbers.decimals(None if value is None else 100 * value, 1), title=title)

    @cached_property
    def _compared(self) -> Mapping[int, Compared]:
        return {each.trial: each for each in self.overview.ties.trials}


def _value(metric: str, trial: TrialRow) -> Cell:
    if trial.value is not None:
        return Cell(shown_metric(metric, trial.value))
    return Cell(shown_metric(metric, trial.last.value if trial.last else None), "faint")


def _is_finished(trial: TrialRow) -> bool:
    return trial.outcome == Outcome.FINISHED


def _how(trial: TrialRow) -> Cell:
    """Say how a trial ended and why, or that it runs."""
    if _is_finished(trial):
        return Cell("")
    word = state_of(trial).word.lower()
    if trial.outcome == Outcome.PRUNED:
        how = f"{word} after epoch {trial.last.epoch}" if trial.last else word
        return Cell(how, title=shown(trial.detail or ""))
    text = f"{word}: {shown(trial.detail)}" if trial.detail else word
    is_long = len(text) > MOST_LETTERS
    return Cell(f"{text[:MOST_LETTERS]}…" if is_long else text, title=text if is_long else "")


def _param(trial: TrialRow, name: str) -> Cell:
    if name not in trial.params:
        return Cell(numbers.NONE, "faint")
    value = trial.params[name]
    return Cell(numbers.short(value), "faint" if value is False else "")
