"""The page of one trial: its state, configuration, curves, classes, attempts and files."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request

from dashboards.analysis import numbers
from dashboards.analysis.curves.course import Course
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_interval, shown_metric, word
from dashboards.analysis.trials.configuration import settings
from dashboards.analysis.trials.measures import Measure, measures, value_epoch
from dashboards.analysis.trials.record import KeptFile, RecordReader, TrialRecord, read_curve
from dashboards.analysis.trials.state import state_of
from dashboards.live.panels.chart_groups import Constant, Curve, constants
from dashboards.live.panels.classes import ClassesPanel, draw_classes
from dashboards.live.panels.configuration import (
    Configuration,
    draw_configuration,
    drawn_values,
)
from dashboards.live.panels.small_charts import Chart, charts
from dashboards.live.panels.trial_attempts import Attempts, draw_attempts
from dashboards.live.panels.trial_top import Top, draw_top
from dashboards.live.source import Source
from spaces.shown import shown
from storage.errors import UnknownTrial
from storage.rows import Drawing, TrialRow

MOST_DIGITS = 9  # of a trial's number
UNITS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True)
class Link:
    """A link to another trial."""

    text: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Number:
    """A metric, and that of the best trial."""

    name: str
    doc: str
    value: str
    interval: str
    best: str


@dataclass(frozen=True, kw_only=True)
class File:
    """A kept file."""

    name: str
    size: str
    href: str


@dataclass(frozen=True, kw_only=True)
class TrialPage:
    """One trial.

    drawing: how its values were drawn, as it is stored; None where nothing is.
    epoch: the epoch of the numbers, in words.
    is_beside_best: whether the best trial's curves stand behind these.
    commands: to be typed in a terminal.
    before, after: the neighbours.
    compare: this trial and the best one side by side; None for the best one itself.
    """

    number: int
    is_live: bool
    top: Top
    configuration: Configuration
    drawing: Drawing | None
    numbers: Sequence[Number]
    epoch: str
    charts: Sequence[Chart]
    constants: Sequence[Constant]
    best: int | None
    is_beside_best: bool
    classes: ClassesPanel | None
    attempts: Attempts
    files: Sequence[File]
    traceback: str
    commands: Sequence[str]
    before: Link | None
    after: Link | None
    compare: Link | None


def trial_page(source: Source, overview: Overview, request: Request) -> TrialPage:
    """Read the trial that an address names; UnknownTrial where there is none."""
    number = request.path_params["number"]
    return TrialPageReader(source, overview.study.name, number).read(overview)


class TrialPageReader:
    """Reads the page of one trial again and again.

    number: as it stands in the address.
    """

    def __init__(self, source: Source, study: str, number: str) -> None:
        self._source, self._number = source, number
        is_number = number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
        self._reader = RecordReader(source.artifacts, study, int(number)) if is_number else None
        self._best: Course | None = None

    def read(self, overview: Overview) -> TrialPage:
        """Read the trial as it is now; UnknownTrial where there is none."""
        snapshot = overview.snapshot
        record = self._reader.read(self._source.store, snapshot) if self._reader else None
        if record is None:
            have = (
                f"it has trials 0 to {snapshot.total - 1}" if snapshot.total else "it has none yet"
            )
            found = f"study {overview.study.name!r} has no trial {self._number[:40]!r}"
            raise UnknownTrial(found, have)
        return _page(overview, record, self._behind(overview, record.trial.number))

    def _behind(self, overview: Overview, number: int) -> list[Curve]:
        """Return the best trial's curve; none for that trial itself, nor among folds."""
        best, snapshot = overview.snapshot.best, overview.snapshot
        if best is None or best.number == number or overview.study.folds:
            return []
        if self._best is None or self._best.number != best.number:
            self._best = read_curve(self._source.store, snapshot, best)
        return [Curve(course=self._best, name="best", is_behind=True)] if self._best else []


def _page(overview: Overview, record: TrialRecord, behind: Sequence[Curve]) -> TrialPage:
    study, trial, best = overview.study, record.trial, overview.snapshot.best
    others = [best] if best and best.number != trial.number else []
    found = settings(overview.snapshot, [drawn_values(record), *(each.params for each in others)])
    epoch = value_epoch(study, trial)
    at = epoch.epoch if epoch and trial.value is not None and not study.folds else None
    own = [
        Curve(course=course, name=f"fold {course.fold}" if course.fold else "", value_epoch=at)
        for course in record.courses
    ]
    curves = [*behind, *own] if own else []
    return TrialPage(
        number=trial.number,
        is_live=not state_of(trial).is_over,
        top=draw_top(overview, record, found),
        configuration=draw_configuration(overview, record, found),
        drawing=trial.drawing,
        numbers=list(map(_number, measures(overview.stored, [trial, *others]))) if epoch else (),
        epoch=_epoch_words(overview, trial),
        charts=charts(overview.stored, curves) if curves else (),
        constants=constants(curves),
        best=best.number if others and best else None,
        is_beside_best=bool(behind and own),
        classes=draw_classes(record.classes) if record.classes and record.classes.rows else None,
        attempts=draw_attempts(record.attempts, trial, overview.read_at),
        files=[_file(overview, trial, file) for file in record.files],
        traceback=record.traceback,
        commands=list(_commands(study.name, trial)),
        **_links(overview, trial.number),
    )


def _number(found: Measure) -> Number:
    own, *others = found.of
    return Number(
        name=word(found.name),
        doc=found.doc,
        value=shown_metric(found.name, own.value),
        interval=shown_interval(found.name, own.low, own.high),
        best=shown_metric(found.name, others[0].value) if others else "",
    )


def _epoch_words(overview: Overview, trial: TrialRow) -> str:
    epoch = value_epoch(overview.study, trial)
    if epoch is None:
        return ""
    return "after the last epoch" if overview.study.folds else f"in epoch {epoch.epoch}"


def _file(overview: Overview, trial: TrialRow, file: KeptFile) -> File:
    study = overview.snapshot.look.study.study_id
    return File(
        name=shown(file.name),
        size=numbers.NONE if file.size is None else _size(file.size),
        href=f"/artifacts/{study}/{trial.trial_id}/{file.artifact_id}",
    )


def _size(count: int) -> str:
    power = 0 if count < 1000 else min(len(UNITS) - 1, math.floor(math.log10(count) / 3))
    return f"{count / 1000**power:.3g}{numbers.THIN}{UNITS[power]}"


def _commands(study: str, trial: TrialRow) -> Iterator[str]:
    if trial.last is None:
        return
    path = f"trial-{trial.number}.yaml"
    yield f"search export --study {study} --trial {trial.number} --out {path}"
    yield f"search retrain {path} --verify"


def _links(overview: Overview, number: int) -> dict[str, Link | None]:
    base, best = f"/s/{quote(overview.study.name)}", overview.snapshot.best
    has_after, is_other = number + 1 < overview.snapshot.total, best and best.number != number
    before, after = (Link(f"trial {each}", f"{base}/t/{each}") for each in (number - 1, number + 1))
    compare = f"{base}/compare?t={best.number},{number}" if best else ""
    return {
        "before": before if number > 0 else None,
        "after": after if has_after else None,
        "compare": Link("Compare with the best", compare) if is_other else None,
    }
