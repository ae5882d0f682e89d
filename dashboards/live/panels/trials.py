"""The table of trials: the best ones with their intervals, those that run, and how others ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import word
from dashboards.analysis.trials.ties import Basis, Ties
from dashboards.analysis.wording import measure
from dashboards.live.panels.trial_rows import Row, TrialTable
from dashboards.live.view import View
from dashboards.marks.bars import Whisker
from objectives.groups.draws import DRAWS
from spaces.params import Param
from storage.rows import TrialRow

BEST, MOST = 10, 20  # rows: of the best ones, and of any others
ORDER = {"minimize": "ascending", "maximize": "descending"}
EMPTY = {
    "best": "No trial has finished yet.",
    "running": "No trial runs.",
    "pruned": "No trial was pruned.",
    "failed": "No trial failed.",
    "all": "No trial has begun yet.",
}


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A choice of trials."""

    name: str
    count: str
    link: str
    is_chosen: bool


@dataclass(frozen=True)
class Head:
    """The head of a hyperparameter's column."""

    name: str
    is_number: bool


@dataclass(frozen=True, kw_only=True)
class TrialsPanel:
    """The table and the words around it.

    ties: the words on the first rows.
    behind: the divider after `last_tied` rows; "" for none.
    order: of the values.
    band: the interval of the best trial, which stands behind all rows.
    has_how: whether a column says how trials ended.
    more, params: the heads of further numbers, and of hyperparameters.
    note: on the intervals.
    """

    tabs: Sequence[Tab]
    rows: Sequence[Row]
    empty: str
    ties: str
    behind: str
    last_tied: int
    metric: str
    order: str
    band: Whisker | None
    has_intervals: bool
    has_how: bool
    more: Sequence[str]
    params: Sequence[Head]
    total: str
    export: str
    note: str


def trials(overview: Overview, view: View) -> TrialsPanel:
    """Build the table of trials."""
    study, ties = overview.study, overview.ties
    table = TrialTable(overview, _chosen(overview, view.which))
    is_best = view.which == "best"
    last = _last_tied(table.trials, ties)
    return TrialsPanel(
        tabs=list(_tabs(overview, view)),
        rows=table.rows(),
        empty=EMPTY[view.which],
        ties=_words(ties, last) if is_best else "",
        behind=_behind(ties) if is_best and ties.is_whole and last < len(table.trials) else "",
        last_tied=last,
        metric=measure(study),
        order=ORDER[study.direction] if is_best else "",
        band=table.band,
        has_intervals=table.scale is not None,
        has_how=not is_best,
        more=[word(name) for name in table.more],
        params=[Head(name, _is_number(study.space.get(name))) for name in table.params],
        total=f"All {numbers.counted(overview.snapshot.total, 'trial')}",
        export=f"search export --study {study.name} --trial best --out best.yaml",
        note=_note(ties) if table.scale else "",
    )


def _chosen(overview: Overview, which: str) -> Sequence[TrialRow]:
    match which:
        case "running":
            return [trial for trial in overview.snapshot.running if trial.is_leased][:MOST]
        case "pruned":
            return overview.latest.pruned
        case "failed":
            return overview.latest.failed
        case "all":
            return list(reversed(overview.frame.trials))[:MOST]
    ranking = overview.snapshot.look.ranking
    return ranking[: max(BEST, _last_tied(ranking, overview.ties) + 1)]


def _last_tied(trials: Sequence[TrialRow], ties: Ties) -> int:
    """Return the number of rows up to the last one that cannot be told from the best."""
    return max((at for at, row in enumerate(trials, 1) if row.number in ties.tied), default=1)


def _tabs(overview: Overview, view: View) -> Iterator[Tab]:
    snapshot = overview.snapshot
    counts = {
        "running": sum(trial.is_leased for trial in snapshot.running),
        "pruned": snapshot.pruned,
        "failed": snapshot.failed,
    }
    for name in EMPTY:
        yield Tab(
            name=name.capitalize(),
            count=numbers.whole(counts[name]) if name in counts else "",
            link=view.link(which=name),
            is_chosen=view.which == name,
        )


def _is_number(param: Param | None) -> bool:
    """Say whether every value of a hyperparameter is a number."""
    values = param.corners() if param else ()
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def _words(ties: Ties, last: int) -> str:
    """Say which of the first rows cannot be told apart; "" where nothing was compared."""
    if ties.has_few_groups:
        return f"too few groups ({ties.groups}) to compare"
    if not ties.is_whole or not ties.bases:
        return ""
    if not ties.tied:
        return "the best one is clearly ahead"
    if len(ties.tied) == last - 1:
        return f"the first {last} cannot be told apart"
    return f"{numbers.counted(len(ties.tied), 'other')} cannot be told from the best"


def _behind(ties: Ties) -> str:
    """Return the words of the divider; "" where nothing was compared."""
    if Basis.GROUPS in ties.bases:
        return f"clearly behind the best (paired over {numbers.counted(ties.groups, 'group')})"
    return "clearly behind the best (outside its interval)" if ties.bases else ""


def _note(ties: Ties) -> str:
    count = f" (n = {numbers.whole(ties.groups)})" if ties.groups else ""
    return f"Intervals: 95 %, {numbers.whole(DRAWS)} draws of whole groups{count}; one seed each."
