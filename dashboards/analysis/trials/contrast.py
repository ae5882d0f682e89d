"""Trials against a first one: the difference of their values over the same groups of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboards.analysis.trials.kept import KeptTable, KeptTables
from dashboards.analysis.trials.paired import paired_difference
from dashboards.analysis.trials.ties import (
    MEASURED,
    Basis,
    Judged,
    compare,
    has_few_groups,
    read_sums,
)
from objectives.contract import BALANCED_ACCURACY, GROUPS
from objectives.groups.draws import Estimate
from spaces.study import Study
from storage.rows import TrialRow


class Told(StrEnum):
    """The conclusion of a comparison with the first trial."""

    SAME = "cannot be told apart"
    BETTER = "clearly better"
    WORSE = "clearly worse"
    UNKNOWN = "not compared"


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A trial against the first one.

    basis: the grounds; None where the two are not compared.
    difference: its value minus the first one's; None where a value is missing.
    low, high: the 95 % interval of the difference; None where the groups do not give one.
    accuracy: the difference of their balanced accuracies, with its interval; None likewise.
    groups: how many groups are drawn; 0 for none.
    reason: why the groups give no difference; "" where they do.
    """

    trial: int
    told: Told
    basis: Basis | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    accuracy: Estimate | None = None
    groups: int = 0
    reason: str = ""


def contrasts(study: Study, tables: KeptTables, trials: Sequence[TrialRow]) -> list[Contrast]:
    """Compare each trial with the first one, that one left out."""
    if not trials:
        return []
    kept = [tables.read(trial, GROUPS) for trial in trials]
    judged = [Judged(trial, read_sums(each)) for trial, each in zip(trials, kept, strict=True)]
    return [
        contrast(study, judged[0], other, _missing([kept[0], each]))
        for other, each in zip(judged[1:], kept[1:], strict=True)
    ]


def contrast(study: Study, first: Judged, other: Judged, missing: str = "") -> Contrast:
    """Compare a trial with the first one.

    missing: why a table of groups is missing; "" where both are there.
    """
    if reason := _not_comparable(study, first, other):
        return Contrast(trial=other.trial.number, told=Told.UNKNOWN, reason=reason)
    found = compare(first, other, study)
    is_paired = found.basis is Basis.GROUPS
    difference = found.difference if is_paired else _difference(first, other)
    return Contrast(
        trial=other.trial.number,
        told=_told(study, found.basis, difference, is_same=found.is_tied),
        basis=found.basis,
        difference=difference,
        low=found.low,
        high=found.high,
        accuracy=_accuracy(study, first, other) if is_paired else None,
        groups=len(first.sums.groups) if is_paired and first.sums else 0,
        reason="" if is_paired else missing or _why_not_paired(study, first, other),
    )


def _not_comparable(study: Study, first: Judged, other: Judged) -> str:
    if study.folds:
        return "values are means over folds, of which no interval is drawn"
    if first.sums and has_few_groups(first.sums):
        return f"too few groups ({len(first.sums.groups)})"
    unfinished = [each.trial.number for each in (first, other) if each.trial.value is None]
    return f"trial {unfinished[0]} has no value" if unfinished else ""


def _told(study: Study, basis: Basis | None, difference: float | None, *, is_same: bool) -> Told:
    if basis is None or difference is None:
        return Told.UNKNOWN
    if is_same:
        return Told.SAME
    return Told.BETTER if (difference < 0) == (study.direction == "minimize") else Told.WORSE


def _difference(first: Judged, other: Judged) -> float | None:
    if first.trial.value is None or other.trial.value is None:
        return None
    return other.trial.value - first.trial.value


def _accuracy(study: Study, first: Judged, other: Judged) -> Estimate | None:
    if study.metric == BALANCED_ACCURACY or first.sums is None or other.sums is None:
        return None
    return paired_difference(other.sums, first.sums, MEASURED[BALANCED_ACCURACY])


def _missing(tables: Sequence[KeptTable]) -> str:
    return next((table.reason for table in tables if table.reason), "")


def _why_not_paired(study: Study, first: Judged, other: Judged) -> str:
    if study.metric not in MEASURED:
        return f"{GROUPS} says nothing of {study.metric}"
    if first.sums is None or other.sums is None:
        return f"{GROUPS} cannot be read"
    if paired_difference(other.sums, first.sums, MEASURED[study.metric]) is None:
        return "the two were measured on different images"
    if len(first.sums.groups) < 2:
        return "all images are in one group"
    return f"{GROUPS} is of another epoch than the value"
