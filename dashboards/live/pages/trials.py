"""The page of all trials: every column, sorted and filtered by the server, 200 at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from dashboards.analysis import numbers
from dashboards.analysis.badges import read_badges
from dashboards.analysis.overview import Overview
from dashboards.analysis.priors.words import WAY_WORDS
from dashboards.analysis.shown_metric import shown_metric, word
from dashboards.analysis.sorting import DRAWN, Order, find, sortable
from dashboards.analysis.terms import fault_of
from dashboards.analysis.trials.measures import value_metrics
from dashboards.analysis.trials.state import state_of
from dashboards.analysis.wording import epochs
from dashboards.live.source import Source
from objectives.contract import BALANCED_ACCURACY, MACRO_AUC
from spaces.study import Study
from storage.rows import TrialRow, Way

PAGE = 200
MOST_LETTERS = 200  # of a filter
STATE_WORDS = ("finished", "pruned", "failed", "running")
WAY_FILTERS = tuple(f"{DRAWN}={way}" for way in Way)
METRICS = (BALANCED_ACCURACY, MACRO_AUC, "val_ece")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table.

    link: the address that sorts by it, "" where that is not possible.
    sorted: "ascending", "descending" or "".
    """

    name: str
    link: str = ""
    sorted: str = ""
    is_number: bool = True


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trial in a row: its number, state, cells and badges."""

    number: int
    shape: str
    outcome: str
    cells: Sequence[str]
    badges: Sequence[str]
    detail: str


@dataclass(frozen=True, kw_only=True)
class TrialsPage:
    """Some trials of a study.

    unknown: why words of the filter say nothing here, a sentence each.
    csv: the address of the same trials as CSV.
    words: what a filter may say.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    total: int
    first: int
    order: Order
    unknown: Sequence[str] = ()
    csv: str = ""
    words: Sequence[str] = ()
    before: str = ""
    after: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)


def trials_page(source: Source, overview: Overview, request: Request) -> TrialsPage:
    """Read the trials that an address asks for."""
    study, query = overview.study, request.query_params
    by = query.get("sort", "trial")
    order = Order(
        by=by if by in sortable(study) else "trial",
        is_descending=query.get("order", "down" if by == "trial" else "up") == "down",
        words=query.get("q", "")[:MOST_LETTERS],
    )
    found = source.with_arrays(lambda: find(study, source.store.arrays(study.name), order))
    page = query.get("page", "1")
    first = PAGE * (int(page) - 1) if page.isascii() and page.isdigit() and 0 < len(page) < 7 else 0
    first = max(0, first)
    shown = found.numbers[first : first + PAGE]
    read = {row.number: row for row in source.store.trials_of(study.name, shown)}
    rows = [read[number] for number in shown if number in read]
    metrics = {
        name: word(name)
        for name in METRICS
        if any(name in value_metrics(study, row) for row in rows)
    }
    badges = read_badges(source.store, overview.snapshot, rows)
    return TrialsPage(
        columns=list(_columns(overview, order, metrics)),
        rows=[_row(overview, row, metrics, badges.get(row.number, ())) for row in rows],
        total=len(found.numbers),
        first=first + 1 if rows else 0,
        order=order,
        unknown=[fault_of(study, word) for word in found.unknown],
        words=[*STATE_WORDS, *WAY_FILTERS, *(f"{n}=" for n in study.space.names)],
        csv=f"trials.csv?{urlencode({'q': order.words})}" if order.words else "trials.csv",
        before=_link(order, first // PAGE) if first else "",
        after=_link(order, first // PAGE + 2) if first + PAGE < len(found.numbers) else "",
        metrics=metrics,
    )


def chosen_trials(source: Source, study: Study, words: str) -> frozenset[int]:
    """Read the numbers of the trials that fit the words of a filter."""
    order = Order(words=words)
    found = source.with_arrays(lambda: find(study, source.store.arrays(study.name), order))
    return frozenset(found.numbers)


def _columns(overview: Overview, order: Order, metrics: Mapping[str, str]) -> Iterator[Column]:
    study = overview.study
    yield _sorting(order, "trial", "trial")
    yield Column(name="outcome", is_number=False)
    yield _sorting(order, "value", study.metric)
    yield from (Column(name=title) for title in metrics.values())
    yield Column(name="trained")  # a hyperparameter may be called epochs
    for name in study.space.names:
        yield _sorting(order, name, name)
    yield Column(name="attempts")
    yield Column(name=DRAWN, is_number=False)
    yield Column(name="worker", is_number=False)


def _sorting(order: Order, by: str, name: str) -> Column:
    is_here = order.by == by
    turned = replace(order, by=by, is_descending=is_here and not order.is_descending)
    way = ("descending" if order.is_descending else "ascending") if is_here else ""
    return Column(name=name, link=_link(turned, 1), sorted=way)


def _link(order: Order, page: int) -> str:
    chosen: dict[str, Any] = {"sort": order.by, "order": "down" if order.is_descending else "up"}
    chosen |= {"q": order.words} if order.words else {}
    chosen |= {"page": page} if page > 1 else {}
    return f"?{urlencode(chosen)}"


def _row(
    overview: Overview, trial: TrialRow, metrics: Mapping[str, str], badges: Sequence[str]
) -> Row:
    recorded = value_metrics(overview.study, trial)
    last = trial.last.value if trial.last else None
    state = state_of(trial)
    return Row(
        number=trial.number,
        shape=state.shape,
        outcome=state.word.lower(),
        cells=[
            shown_metric(overview.study.metric, last if trial.value is None else trial.value),
            *(shown_metric(name, recorded.get(name)) for name in metrics),
            epochs(overview.snapshot, trial),
            *(
                numbers.short(trial.params[name]) if name in trial.params else ""
                for name in overview.study.space.names
            ),
            str(trial.attempts),
            overview.snapshot.stored.promoted(trial.number)
            or (WAY_WORDS[trial.drawing.way] if trial.drawing else ""),
            trial.worker or "",
        ],
        badges=badges,
        detail=trial.detail or "",
    )
