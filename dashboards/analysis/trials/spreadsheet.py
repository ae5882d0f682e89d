"""Every trial of a study in a line of CSV, for spreadsheets."""

import csv
import io
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from dashboards.analysis.badges import one_line
from dashboards.analysis.frame import Page, read_pages
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from objectives import catalog
from storage.reader import StoreReader
from storage.rows import TrialRow

# Where a spreadsheet takes a text for a formula.
FORMULA = re.compile(r"[=+\-@\t\r\n]")


def trials_csv(
    store: StoreReader, name: str, chosen: Collection[int] | None = None
) -> Iterator[str]:
    """Read the lines of a study's table; one that cannot be read raises before the first line.

    chosen: the numbers of the trials that have a line; None for all.
    """
    return _every_line(store, read_snapshot(store, name), chosen)


def head_line(snapshot: Snapshot) -> str:
    """Return the names of the columns."""
    return _line(
        [
            *("trial", "outcome", "value", "epochs", "attempts", "worker", "started_at"),
            *("ended_at", "badges", "detail", "drawn"),
            *(f"param_{name}" for name in snapshot.study.space.names),
            "best_epoch",
            *(f"best_{name}" for name in _metrics(snapshot)),
        ]
    )


def page_lines(snapshot: Snapshot, page: Page) -> Iterator[str]:
    """Yield a line per trial: how it ended, its values, and the metrics of its best epoch."""
    for trial in page.trials:
        yield _line(_cells(snapshot, trial, one_line(page.badges.get(trial.number, ()))))


def _every_line(
    store: StoreReader, snapshot: Snapshot, chosen: Collection[int] | None
) -> Iterator[str]:
    yield head_line(snapshot)
    for page in read_pages(store, snapshot):
        trials = [each for each in page.trials if chosen is None or each.number in chosen]
        yield from page_lines(snapshot, replace(page, trials=trials))


def _metrics(snapshot: Snapshot) -> Iterable[str]:
    """Return the metrics that have a column: those that the objective reports.

    An author's own code names its metrics as it reports them: those of the best and the newest
    trials are taken, so that the first line needs no look at all the others.
    """
    if not snapshot.stored.found.own:
        return catalog.describe(snapshot.stored.objective).metrics
    look = snapshot.look
    known = (trial.best for trial in (*look.ranking, *look.newest, *look.running))
    reported = {name for epoch in known if epoch for name in epoch.metrics}
    return [snapshot.study.metric, *sorted(reported - {snapshot.study.metric})]


def _cells(snapshot: Snapshot, trial: TrialRow, badges: str) -> Iterator[Any]:
    yield from (trial.number, str(trial.outcome or trial.state.lower()), trial.value)
    yield from (trial.last.epoch if trial.last else 0, trial.attempts, trial.worker)
    yield from (moment and moment.isoformat() for moment in (trial.started_at, trial.ended_at))
    yield from (badges, trial.detail, trial.drawing and str(trial.drawing.way))
    yield from (trial.params.get(name) for name in snapshot.study.space.names)
    yield trial.best.epoch if trial.best else None
    yield from (trial.best and trial.best.metrics.get(name) for name in _metrics(snapshot))


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_harmless, cells))
    return text.getvalue()


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
