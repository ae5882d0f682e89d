"""Every trial of a study in a few values each, and as a line of a table."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.analysis.badges import one_line
from dashboards.analysis.frame import read_pages
from dashboards.analysis.snapshot import Snapshot
from objectives import catalog
from spaces.params import Value
from storage.reader import StoreReader
from storage.rows import Outcome, TrialRow

# Where a spreadsheet takes a text for a formula.
FORMULA = re.compile(r"[=+\-@\t\r\n]")
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
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_harmless(name) for name in _head(snapshot)])
    trials: list[TrialLine] = []
    for page in read_pages(store, snapshot):
        for trial in page.trials:
            trials.append(_line(trial))
            badges = one_line(page.badges.get(trial.number, ()))
            writer.writerow([_harmless(cell) for cell in _row(snapshot, trial, badges)])
        step("reading the trials", len(trials), snapshot.total)
    return Lines(trials, text.getvalue())


def _line(trial: TrialRow) -> TrialLine:
    is_finished = trial.outcome == Outcome.FINISHED and math.isfinite(trial.value or 0.0)
    return TrialLine(
        number=trial.number,
        outcome=_outcome(trial),
        value=trial.value if is_finished else None,
        params=trial.params,
        epochs=trial.last.epoch if trial.last else 0,
        attempts=trial.attempts,
    )


def _outcome(trial: TrialRow) -> str:
    return str(trial.outcome or trial.state.lower())


def _metrics(snapshot: Snapshot) -> Iterator[str]:
    """Yield the metrics that have a column: those that the objective reports."""
    yield from catalog.describe(snapshot.study.objective).metrics


def _head(snapshot: Snapshot) -> list[str]:
    return [
        *("trial", "outcome", "value", "epochs", "attempts", "started_at", "ended_at", "badges"),
        "detail",
        *(f"param_{name}" for name in snapshot.study.space.names),
        "best_epoch",
        *(f"best_{name}" for name in _metrics(snapshot)),
    ]


def _row(snapshot: Snapshot, trial: TrialRow, badges: str) -> Iterator[Any]:
    yield from (trial.number, _outcome(trial), trial.value, trial.last.epoch if trial.last else 0)
    yield trial.attempts
    yield from (moment and moment.isoformat() for moment in (trial.started_at, trial.ended_at))
    yield from (badges, trial.detail)
    yield from (trial.params.get(name) for name in snapshot.study.space.names)
    yield trial.best.epoch if trial.best else None
    yield from (trial.best and trial.best.metrics.get(name) for name in _metrics(snapshot))


def _harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; a number stays as it is."""
    if isinstance(cell, str) and FORMULA.match(cell) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
