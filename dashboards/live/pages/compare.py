"""The page that compares two to four trials: their differences only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_interval, shown_metric, word
from dashboards.analysis.trials.configuration import Setting, differing, settings
from dashboards.analysis.trials.contrast import Contrast, Told, contrasts
from dashboards.analysis.trials.kept import KeptTables
from dashboards.analysis.trials.measures import Measure, measures
from dashboards.analysis.trials.record import read_curve
from dashboards.analysis.trials.state import TrialState, state_of
from dashboards.analysis.trials.ties import Basis
from dashboards.analysis.wording import measure
from dashboards.live.panels.chart_groups import Curve
from dashboards.live.panels.configuration import Value
from dashboards.live.panels.curve_picture import ALIGNMENTS
from dashboards.live.panels.small_charts import Chart, charts
from dashboards.live.source import Source
from dashboards.live.view import View
from spaces.shown import shown
from storage.rows import TrialRow

FEWEST, MOST = 2, 4
AT_FIRST = 3  # trials, where the address names none
MOST_ASKED = 100  # letters


@dataclass(frozen=True, kw_only=True)
class Column:
    """One trial; place: of its colour and shape."""

    number: int
    place: int
    state: TrialState


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value of one trial; strong: whether it is the best one of its row."""

    text: str
    under: str = ""
    title: str = ""
    is_strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A hyperparameter or a metric of every trial."""

    name: str
    doc: str
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A trial against the first one: the conclusion, and the figures that it stands on."""

    place: int
    told: str
    figures: str


@dataclass(frozen=True)
class Choice:
    """An alignment of the curves, with its address."""

    text: str
    href: str
    is_on: bool


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """Some trials side by side.

    asked: the numbers as the form shows them.
    faults: what is wrong in the address, a sentence each.
    differing, same: the hyperparameters.
    basis: what the intervals of the differences draw.
    """

    asked: str
    faults: Sequence[str]
    columns: Sequence[Column]
    differing: Sequence[Row]
    same: Sequence[Row]
    measures: Sequence[Row]
    sentences: Sequence[Sentence]
    basis: str
    charts: Sequence[Chart]
    choices: Sequence[Choice]


def compare_page(source: Source, overview: Overview, request: Request) -> ComparePage:
    """Compare the trials that an address names, by default the best one and those after it."""
    asked = request.query_params.get("t", "")[:MOST_ASKED]
    wanted, faults = _wanted(overview, asked) if asked else (_best(overview), [])
    read = {row.number: row for row in source.store.trials_of(overview.study.name, wanted)}
    trials = [read[number] for number in wanted if number in read]
    faults += [_unknown(overview, number) for number in wanted if number not in read]
    if len(trials) < FEWEST:
        faults.append(f"a comparison takes {FEWEST} to {MOST} trials; name them as 4, 7")
    align = View.of({"align": request.query_params.get("align", "epoch")}).align
    return _page(source, overview, trials, align=align, faults=faults)


def _page(
    source: Source,
    overview: Overview,
    trials: Sequence[TrialRow],
    *,
    align: str,
    faults: Sequence[str],
) -> ComparePage:
    study = overview.study
    found = settings(overview.snapshot, [trial.params for trial in trials]) if trials else []
    measured = measures(overview.stored, trials) if trials else []
    compared = contrasts(study, KeptTables(source.artifacts, study.name), trials)
    curves = list(_curves(source, overview, trials))
    asked = ", ".join(str(trial.number) for trial in trials)
    return ComparePage(
        asked=asked,
        faults=faults,
        columns=[
            Column(number=trial.number, place=place, state=state_of(trial))
            for place, trial in enumerate(trials)
        ],
        differing=[_setting(each) for each in found if each.differs],
        same=[_setting(each) for each in found if not each.differs],
        measures=[_measure(each, differing(found)) for each in measured],
        sentences=[
            _sentence(overview, trials[0].number, each, place)
            for place, each in enumerate(compared, start=1)
        ],
        basis=_basis(compared),
        charts=charts(overview.stored, curves, align, together=False) if curves else (),
        choices=[
            Choice(text, "?" + urlencode({"t": asked, "align": each}), each == align)
            for each, text in ALIGNMENTS.items()
        ],
    )


def _wanted(overview: Overview, asked: str) -> tuple[list[int], list[str]]:
    """Read the numbers of an address; return them with what is wrong in it."""
    words = asked.replace(",", " ").split()
    faults = [
        f"{word!r} is not the number of a trial; write numbers as 4, 7"
        for word in words
        if not _is_number(word)
    ]
    every = list(dict.fromkeys(int(word) for word in words if _is_number(word)))
    if len(every) > MOST:
        faults.append(f"{len(every)} trials are too many to compare; here are the first {MOST}")
    return every[:MOST], faults


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10


def _unknown(overview: Overview, number: int) -> str:
    total = overview.snapshot.total
    have = f"it has trials 0 to {total - 1}" if total else "it has none yet"
    return f"this study has no trial {number}; {have}"


def _best(overview: Overview) -> list[int]:
    return [trial.number for trial in overview.snapshot.look.ranking[:AT_FIRST]]


def _curves(source: Source, overview: Overview, trials: Sequence[TrialRow]) -> Iterator[Curve]:
    for place, trial in enumerate(trials):
        if course := read_curve(source.store, overview.snapshot, trial):
            yield Curve(course=course, name=f"trial {trial.number}", place=place)


def _setting(setting: Setting) -> Row:
    cells = [
        Cell(text=Value.of(value, is_there=has_it).text, title=Value.of(value).exact)
        for value, has_it in zip(setting.values, setting.has_it, strict=True)
    ]
    return Row(name=shown(setting.name), doc="", cells=cells)


def _measure(found: Measure, differing: Sequence[str]) -> Row:
    """Build the row of a metric; one that measures another thing in each trial has no best."""
    has_best = not set(found.changed_by) & set(differing)
    cells = [
        Cell(
            text=shown_metric(found.name, each.value),
            under=shown_interval(found.name, each.low, each.high),
            is_strong=has_best and each.value is not None and each.value == found.best,
        )
        for each in found.of
    ]
    return Row(name=word(found.name), doc=found.doc, cells=cells)


def _sentence(overview: Overview, first: int, found: Contrast, place: int) -> Sentence:
    """Say in words how a trial compares with the first one."""
    ahead = {
        Told.SAME: f"Trial {found.trial} cannot be told apart from trial {first}.",
        Told.BETTER: f"Trial {found.trial} is clearly better than trial {first}.",
        Told.WORSE: f"Trial {found.trial} is clearly worse than trial {first}.",
        Told.UNKNOWN: f"Trial {found.trial} cannot be compared with trial {first}: {found.reason}.",
    }
    return Sentence(place=place, told=ahead[found.told], figures=_figures(overview, found))


def _figures(overview: Overview, found: Contrast) -> str:
    if found.difference is None:
        return ""
    parts = [f"{measure(overview.study)} {numbers.signed(found.difference)}"]
    if found.basis is Basis.GROUPS:
        parts[0] += f" (95 %: {numbers.signed(found.low)} to {numbers.signed(found.high)})"
    if accuracy := found.accuracy:
        points = [numbers.signed(100 * each, 1) for each in accuracy]
        parts.append(f"balanced accuracy {points[0]} points ({points[1]} to {points[2]})")
    if found.basis is Basis.INTERVAL:
        parts.append(f"judged by the interval of the first one alone, since {found.reason}")
    return "; ".join(parts)


def _basis(compared: Sequence[Contrast]) -> str:
    groups = max((each.groups for each in compared), default=0)
    if not groups:
        return ""
    drawn = numbers.counted(groups, "whole group")
    return f"The same images, in 1,000 draws of {drawn}: what is hard for both trials cancels out."
