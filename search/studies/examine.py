"""What is wrong with a study's data, and what of it stops a run."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from objectives import catalog
from objectives.contract import DataError, DataSource
from objectives.data.manifest.summary import DataSummary
from objectives.data.problems import Problem
from search.settings import Settings
from search.studies.declare import Declared, data_source, declare
from search.studies.overrides import Overrides
from search.studies.rules import check_fit, check_rules
from search.terminal.console import Bar
from spaces.rules.finding import Finding
from spaces.stored import StoredStudy, from_json
from spaces.study import Study

if TYPE_CHECKING:  # numpy, SQLAlchemy, which checking the rules alone does without
    from objectives.data.manifest.manifest import Manifest
    from storage.store import Store, StudyRow


@dataclass(frozen=True)
class Prepared:
    """A study whose rules hold and whose data can be read, with the data as this machine has it."""

    stored: StoredStudy
    source: DataSource
    manifest: "Manifest"
    findings: Sequence[Finding]

    @property
    def study(self) -> Study:
        """The study without what is settled beside it."""
        return self.stored.study

    @property
    def summary(self) -> DataSummary:
        """The data in counts."""
        return self.manifest.summary


@dataclass(frozen=True)
class Checked:
    """A study with its data and what is wrong with them, errors first.

    seconds: what it took. opened: how many images were looked into; what is known of one from
    before, by its size and time, is not found out again.
    """

    prepared: Prepared
    problems: Sequence[Problem]
    seconds: float
    opened: int


def prepare(overrides: Overrides, settings: Settings, store: "Store | None" = None) -> Prepared:
    """Check the study, its space and its data, and write nothing that a study is.

    store: where a study of that name may be stored already, whose splits count then. Raises
    StudyError, DataError or RecipeError.
    """
    declared = declare(overrides, settings)
    findings = check_rules(declared.stored)
    prepared = with_data(declared, findings, settings, store)
    check_fit(prepared.stored, prepared.summary)
    return prepared


def with_data(
    declared: Declared,
    findings: Sequence[Finding],
    settings: Settings,
    store: "Store | None" = None,
    bar: "Bar | None" = None,
) -> Prepared:
    """Read the data of a study whose rules were checked.

    store: where it may be stored already. bar: shown by who checks the data next, which are then
    looked at in the same pass.
    """
    from search.studies.splits import partition_of  # SQLAlchemy: only where data is read

    study = declared.study
    partition = partition_of(study.name, settings, store)
    source = data_source(study, declared.folder, partition)
    telling = (bar.step, bar.expect) if bar else ()
    manifest = catalog.read_data(study.objective, source, settings.cache, *telling)
    return Prepared(declared.stored, source, manifest, findings)


def check_data(
    declared: Declared,
    findings: Sequence[Finding],
    settings: Settings,
    store: "Store | None",
) -> Checked:
    """Read the data of a study and check them in one pass, showing how far it is.

    findings: of the study's rules. store: where it may be stored already. Raises DataError where
    the data cannot be read at all.
    """
    began = time.monotonic()
    with Bar("images") as bar:
        prepared = with_data(declared, findings, settings, store, bar)
        objective, data = prepared.study.objective, (prepared.source, prepared.manifest)
        problems = catalog.check_data(objective, *data, settings.cache, bar.step)
    return Checked(prepared, problems, time.monotonic() - began, bar.count)


def skipped_in(declared: StoredStudy, known: "StudyRow | None") -> set[str]:
    """Give the rules whose errors are waved through, now or when the study was stored."""
    stored = from_json(known.definition).found.skipped_checks if known else ()
    return {*declared.found.skipped_checks, *stored}


def refuse_errors(checked: Checked, skipped: Collection[str]) -> None:
    """Raise DataError, in one line, for errors that nobody has waved through."""
    errors = [each for each in checked.problems if each.level == "error"]
    stopping = [each for each in errors if each.rule not in skipped]
    if not stopping:
        return
    study, more = checked.prepared.study.name, len(stopping) - 1
    raise DataError(
        f"{study}: {stopping[0].message} ({stopping[0].rule})"
        + (f"; and {_counted(more, 'more error')}" if more else "")
        + "; see `search check`"
    )


def summary_lines(checked: Checked, skipped: Collection[str]) -> Iterator[str]:
    """Yield a line for all warnings together, and one for the errors that were waved through."""
    warned = [each.rule for each in checked.problems if each.level == "warn"]
    kept = [rule for rule in warned if rule not in skipped]
    if kept:
        rules = ", ".join(dict.fromkeys(kept))
        yield f"{_counted(len(kept), 'warning')} of the data ({rules}); see `search check`"
    waved = [
        each.rule for each in checked.problems if each.level == "error" and each.rule in skipped
    ]
    if waved:
        rules = ", ".join(dict.fromkeys(waved))
        yield f"{_counted(len(waved), 'error')} of the data waved through by --skip-check ({rules})"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")
