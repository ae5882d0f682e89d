"""Every trial of a study in a few values each, and as a line of a table."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.analysis.frame import read_pages
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.spreadsheet import head_line, page_lines
from spaces.params import Value
from storage.reader import StoreReader
from storage.rows import Outcome, TrialRow

Step = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class TrialLine:
    """One trial, in the few values that the report draws.

    value: of a trial that finished here; None for others.
    epochs: how many were recorded.
    """

    number: int
    outcome: str
    value: float | None
    params: Mapping[str, Value]
    epochs: int
    attempts: int


@dataclass(frozen=True)
class Lines:
    """All trials of a study, by number.

    csv: the table of them, one row per trial, for spreadsheets.
    """

    trials: Sequence[TrialLine] = ()
    csv: str = ""
    finished: Sequence[TrialLine] = field(init=False)

    def __post_init__(self) -> None:
        finished = [trial for trial in self.trials if trial.value is not None]
        object.__setattr__(self, "finished", finished)


def no_step(stage: str, done: int, total: int | None) -> None:
    """Show nothing of a report's progress."""


def read_lines(store: StoreReader, snapshot: Snapshot, step: Step) -> Lines:
    """Read every trial of a snapshot.

    step: called with the work, and how much of it is done.
    """
    trials: list[TrialLine] = []
    lines = [head_line(snapshot)]
    for page in read_pages(store, snapshot):
        trials += map(_line, page.trials)
        lines += page_lines(snapshot, page)
        step("reading the trials", len(trials), snapshot.total)
    return Lines(trials, "".join(lines))


def _line(trial: TrialRow) -> TrialLine:
    is_finished = trial.outcome == Outcome.FINISHED and math.isfinite(trial.value or 0.0)
    return TrialLine(
        number=trial.number,
        outcome=str(trial.outcome or trial.state.lower()),
        value=trial.value if is_finished else None,
        params=trial.params,
        epochs=trial.last.epoch if trial.last else 0,
        attempts=trial.attempts,
    )
