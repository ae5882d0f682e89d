"""Whether a study's rules hold, and whether its data are enough for it."""

from collections.abc import Iterator, Mapping
from functools import partial

from objectives import catalog
from objectives.contract import RecipeError
from objectives.data.manifest.summary import DataSummary
from spaces.errors import StudyError
from spaces.rules.check import check
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.study import Study


def check_rules(study: Study) -> list[Finding]:
    """Give the warnings of the rules; raises StudyError for the first error."""
    findings = find_rules(study)
    for finding in findings:
        if finding.level == "error":
            raise StudyError(f"{study.name}: {finding.message} ({finding.rule})")
    return findings


def find_rules(study: Study) -> list[Finding]:
    """Give all that the rules find, errors first; RecipeError for an unknown objective.

    An error is also a corner of the space that the objective would refuse to train.
    """
    known = catalog.describe(study.objective)
    schedule = partial(_schedule, study.objective)
    findings = check(study, known.fields, known.metrics, schedule)
    if any(finding.level == "error" for finding in findings):
        return findings
    try:
        for config in drawable(study):
            catalog.check(study.objective, config)
    except RecipeError as error:
        return [Finding("D01", "error", str(error)), *findings]
    return findings


def check_fit(study: Study, summary: DataSummary) -> None:
    """Raise StudyError for a configuration that asks more of the data than there is."""
    if not summary.classes:
        return
    try:
        for config in drawable(study):
            catalog.check_fit(study.objective, config, summary)
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error


def drawable(study: Study) -> Iterator[TrialConfig]:
    """Yield what is likeliest to be drawn, and what of options and ends can be."""
    yield study.config(study.params.mode())
    yield from map(study.config, study.params.corners())


def _schedule(objective: str, config: TrialConfig) -> Mapping[str, int] | None:
    """Give how a configuration is planned; None for one that is refused, which is said later."""
    try:
        return catalog.schedule(objective, config)
    except RecipeError:
        return None
