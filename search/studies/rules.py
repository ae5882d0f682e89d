"""Check a study against the rules, and against the size of its data."""

from collections.abc import Iterator, Mapping
from functools import partial

from objectives import catalog
from objectives.contract import DataError, ObjectiveFields, ObjectiveKey, RecipeError
from objectives.data.manifest.summary import DataSummary
from spaces.errors import StudyError
from spaces.params import Value
from spaces.rules.check import check
from spaces.rules.fields import Fields, given_fields
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.stored import StoredStudy, data_to_json


def check_rules(stored: StoredStudy) -> list[Finding]:
    """Return the warnings of the rules; raises StudyError for the first error."""
    findings = find_rules(stored)
    for finding in findings:
        if finding.level == "error":
            raise StudyError(f"{stored.study.name}: {finding.message} ({finding.rule})")
    return findings


def find_rules(stored: StoredStudy) -> list[Finding]:
    """Return everything that the rules find, errors first.

    A configuration that can be drawn and that the objective refuses to train is an error, too.
    Raises RecipeError for an unknown objective.
    """
    study, objective = stored.study, stored.objective
    known = catalog.describe(objective)
    fields = given_fields(study) if known.fields is None else known.fields
    findings = [
        *_wrong_patterns(stored),
        *check(
            study,
            _with_defaults(fields, stored.found.defaults),
            _metrics(stored, known),
            partial(schedule_of, objective),
        ),
    ]
    if any(finding.level == "error" for finding in findings):
        return findings
    try:
        for config in drawable(stored):
            catalog.check(objective, config)
    except RecipeError as error:
        return [Finding("D01", "error", str(error)), *findings]
    return findings


def check_fit(stored: StoredStudy, summary: DataSummary) -> None:
    """Raise StudyError for a configuration that asks more of the data than there is."""
    for finding in find_misfit(stored, summary):
        raise StudyError(f"{stored.study.name}: {finding.message} ({finding.rule})")


def find_misfit(stored: StoredStudy, summary: DataSummary) -> list[Finding]:
    """Return the first error of a configuration that asks more of the data than there is."""
    if not summary.classes:
        return []
    try:
        for config in drawable(stored):
            catalog.check_fit(stored.objective, config, summary)
    except RecipeError as error:
        return [Finding("D06", "error", str(error))]
    return []


def drawable(stored: StoredStudy) -> Iterator[TrialConfig]:
    """Yield the prior's mode and the corners of the space, as whole configurations."""
    yield stored.config(stored.study.space.mode())
    yield from map(stored.config, stored.study.space.corners())


def schedule_of(objective: ObjectiveKey, config: TrialConfig) -> Mapping[str, int] | None:
    """Return a configuration's schedule; None for a refused one, which `find_rules` reports."""
    try:
        return catalog.schedule(objective, config)
    except RecipeError:
        return None


def _wrong_patterns(stored: StoredStudy) -> list[Finding]:
    try:
        catalog.check_layout(data_to_json(stored.study))
    except DataError as error:
        return [Finding("D01", "error", str(error))]
    return []


def _metrics(stored: StoredStudy, known: ObjectiveFields) -> Fields:
    """Return the metrics of an objective; the author's own code reports the study's as well."""
    study = stored.study
    own = {"direction": study.direction, "ranks": True, "called": ()}
    return {study.metric: own, **known.metrics} if stored.found.own else known.metrics


def _with_defaults(fields: Fields, defaults: Mapping[str, Value]) -> Fields:
    """Return the fields with a stored study's defaults, which an upgrade may have changed."""
    return {
        name: {**field, "default": defaults[name]} if name in defaults else field
        for name, field in fields.items()
    }
