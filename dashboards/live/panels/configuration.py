"""The configuration of a trial beside that of the best one, and why the trial exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.priors.words import how_drawn, why_drawn
from dashboards.analysis.trials.configuration import Kind, Setting
from dashboards.analysis.trials.record import TrialRecord
from spaces.shown import shown


@dataclass(frozen=True)
class Value:
    """A value with four digits at most, and with all of them."""

    text: str
    exact: str

    @classmethod
    def of(cls, value: object, *, is_there: bool = True) -> "Value":
        """Return a value of a hyperparameter, which may hold anything."""
        if not is_there:
            return cls(numbers.NONE, "")
        rounded = float(f"{value:.4g}") if isinstance(value, float) else value
        return cls(shown(numbers.exact(rounded)), shown(numbers.exact(value)))


@dataclass(frozen=True, kw_only=True)
class Row:
    """A hyperparameter, with the best trial's value where that differs."""

    name: str
    value: Value
    best: Value | None
    differs: bool


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The hyperparameters of a trial.

    origin: how it was drawn, or who asked for it.
    why: the sampler's knowledge at that time, in sentences.
    best: the number of the best trial.
    """

    searched: Sequence[Row]
    fixed: Sequence[Row]
    defaults: Sequence[Row]
    origin: str
    why: Sequence[str]
    best: int | None


def draw_configuration(
    overview: Overview, record: TrialRecord, found: Sequence[Setting]
) -> Configuration:
    """Build it; found: the settings of this trial and, where it is another, of the best."""
    rows = {kind: [_row(each) for each in found if each.kind is kind] for kind in Kind}
    best = overview.snapshot.best
    return Configuration(
        searched=rows[Kind.SEARCHED],
        fixed=rows[Kind.FIXED],
        defaults=rows[Kind.DEFAULT],
        origin=_origin(overview, record),
        why=list(why_drawn(drawing)) if (drawing := record.trial.drawing) else (),
        best=best.number if best and best.number != record.trial.number else None,
    )


def _row(setting: Setting) -> Row:
    first, *others = (
        Value.of(value, is_there=has_it)
        for value, has_it in zip(setting.values, setting.has_it, strict=True)
    )
    best = others[0] if others and setting.differs else None
    return Row(name=shown(setting.name), value=first, best=best, differs=setting.differs)


def drawn_values(record: TrialRecord) -> Mapping[str, object]:
    """Return the values of a trial; of one that waits, those that it was queued with."""
    if record.trial.state == "WAITING":
        return record.queued or {}
    return record.trial.params


def _origin(overview: Overview, record: TrialRecord) -> str:
    """Say how a trial was drawn, or who asked for it."""
    study, queued, drawing = overview.study, record.queued, record.trial.drawing
    if queued is None and not record.attempts and record.trial.state != "RUNNING":
        return "Added by another program."
    if queued is None:
        return how_drawn(drawing, study) if drawing else "Drawn by the sampler."
    if original := overview.snapshot.stored.promoted(record.trial.number):
        return f"Promoted: the values of trial {original.replace(' ', ', ', 1)}."
    if queued == study.space.mode():
        return "Queued: the most probable values of the prior."
    if queued in [dict(each) for each in study.enqueue]:
        return "Queued: one of the study's given configurations."
    return "Queued by a person."
