"""Every trial of a study as CSV, as far as a reader has taken it."""

import csv
import io
from collections.abc import Iterable, Iterator

from dashboards.analysis.frame import read_pages
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from storage.reader import StoreReader
from storage.rows import TrialRow

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a text that begins so
PLAIN = ("outcome", "value", "attempts", "worker", "started_at", "ended_at", "detail")


def trials_csv(store: StoreReader, name: str) -> Iterator[str]:
    """Read the lines of a table with a row per trial: its values, metrics and end.

    A study that cannot be read raises here, before the first line.
    """
    return _lines(store, read_snapshot(store, name))


def _lines(store: StoreReader, snapshot: Snapshot) -> Iterator[str]:
    params = list(snapshot.study.space.names)
    metrics = list(_metrics(snapshot.look.ranking))
    yield _line(["trial", *PLAIN, "badges", *params, *(f"best epoch: {it}" for it in metrics)])
    for page in read_pages(store, snapshot):
        for trial in page.trials:
            best = trial.best.metrics if trial.best else {}
            badges = ", ".join(page.badges.get(trial.number, ()))
            plain = [getattr(trial, column) for column in PLAIN]
            drawn = [trial.params.get(param) for param in params]
            yield _line([trial.number, *plain, badges, *drawn, *(best.get(it) for it in metrics)])


def _metrics(trials: Iterable[TrialRow]) -> dict[str, None]:
    return dict.fromkeys(name for trial in trials if trial.best for name in trial.best.metrics)


def _line(cells: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_harmless, cells))
    return text.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
