"""The report as JSON, for programs; the single trials stand in the table beside it."""

from collections.abc import Iterator

from dashboards.analysis.frame import Field
from dashboards.analysis.json_text import object_text
from dashboards.report.facts import Facts, read_facts
from dashboards.report.methods import methods_paragraph
from storage.reader import StoreReader


def report_json(store: StoreReader, name: str, artifacts: str) -> str:
    """Return the report of a study as JSON; UnknownStudy where there is none."""
    return json_of(read_facts(store, name, artifacts))


def json_of(facts: Facts) -> str:
    """Return what a report says as the text of one JSON object."""
    return "".join(object_text(_fields(facts))) + "\n"


def _fields(facts: Facts) -> Iterator[Field]:
    snapshot = facts.snapshot
    yield "made_at", facts.made_at
    yield "study", snapshot.look.study
    yield "is_practice", snapshot.stored.found.is_practice
    yield "skipped_checks", snapshot.stored.found.skipped_checks
    yield "accepted_versions", snapshot.stored.found.accepted_versions
    yield "trials", snapshot.look.counts
    yield "outcomes", facts.endings
    yield "pruned", facts.prunings
    yield "best", snapshot.look.ranking
    yield "data", facts.data
    yield "settled", snapshot.stored.settled
    yield "ties", facts.overview.ties
    yield "curves", facts.overview.courses
    yield "history", facts.overview.history
    yield "evidence", facts.overview.evidence
    yield "knowledge", facts.overview.knowledge
    yield "classes", facts.overview.classes
    yield "importances", facts.importances
    yield "machines", facts.machines
    yield "device_seconds", facts.overview.hours
    yield "outages", facts.outages
    yield "test_uses", snapshot.look.test_uses
    yield "methods", methods_paragraph(facts)
