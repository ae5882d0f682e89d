"""From what was typed to a study whose rules hold and whose data can be read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from objectives import catalog
from objectives.contract import DataSource, RecipeError
from objectives.data.manifest.summary import DataSummary
from objectives.recipe.network import is_noncommercial
from search.settings import Settings
from search.studies.folders import find_data
from search.studies.overrides import Wishes, check_skippable
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.load import load_study
from spaces.rules.check import check
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.stored import data_to_json, from_json
from spaces.study import Study

if TYPE_CHECKING:  # numpy, rich, SQLAlchemy, which checking the rules alone does without
    from objectives.data.manifest.manifest import Manifest
    from search.terminal.console import Bar
    from storage.store import Store


@dataclass(frozen=True)
class Declared:
    """A study as its file and the command line want it, and this machine's folder of its data."""

    study: Study
    folder: Path | None


@dataclass(frozen=True)
class Prepared:
    """A study whose rules hold and whose data can be read, with the data as this machine has it."""

    study: Study
    source: DataSource
    manifest: "Manifest"
    findings: Sequence[Finding]

    @property
    def summary(self) -> DataSummary:
        """The data in counts."""
        return self.manifest.summary


def prepare(wishes: Wishes, settings: Settings, store: "Store | None" = None) -> Prepared:
    """Check the study, its space and its data, and write nothing that a study is.

    store: where a study of that name may be stored already, whose splits count then. Raises
    StudyError, DataError or RecipeError.
    """
    declared = declare(wishes, settings)
    findings = check_rules(declared.study)
    prepared = with_data(declared, findings, settings, store)
    check_fit(prepared.study, prepared.summary)
    return prepared


def declare(wishes: Wishes, settings: Settings) -> Declared:
    """Give the study that is wished for; DataError when there is no folder of its data."""
    study, folder = _place(declared_study(wishes.reference, settings), wishes, settings)
    return Declared(wished(study, wishes), folder)


def wished(study: Study, wishes: Wishes) -> Study:
    """Give the study as the command line wants it; StudyError for a check that none may skip."""
    check_skippable(study.skipped_checks)  # the file's own
    return replace(
        study.pinned(wishes.pins),
        name=wishes.name or study.name,
        trials=wishes.trials or study.trials,
        skipped_checks=sorted({*study.skipped_checks, *wishes.skipped}),
    )


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
    return Prepared(study, source, manifest, findings)


def data_source(study: Study, folder: Path | None, partition: Path | None = None) -> DataSource:
    """Give how this study's data is read out of this machine's folder."""
    return DataSource(
        data_to_json(study), folder, study.seed, study.folds, study.has_test, partition
    )


def declared_study(reference: str, settings: Settings) -> Study:
    """Give the study of that file or shipped name, else the one stored under that name."""
    try:
        return load_study(reference)
    except StudyError:
        stored = None if reference.endswith(".py") else _stored_study(reference, settings)
        if stored is None:
            raise
        return stored


def _stored_study(name: str, settings: Settings) -> Study | None:
    from search.database import has_store, open_store  # SQLAlchemy: only when a store is asked

    if not has_store(settings):
        return None
    with open_store(settings) as store:
        row = next((row for row in store.studies() if row.name == name), None)
    return from_json(row.definition) if row else None


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
        for config in _drawable(study):
            catalog.check(study.objective, config)
    except RecipeError as error:
        return [Finding("D01", "error", str(error)), *findings]
    return findings


def check_fit(study: Study, summary: DataSummary) -> None:
    """Raise StudyError for a configuration that asks more of the data than there is."""
    if not summary.classes:
        return
    try:
        for config in _drawable(study):
            catalog.check_fit(study.objective, config, summary)
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error


def check_networks(study: Study) -> dict[str, dict[str, str]]:
    """Give what is known of each file of weights, once every network is built and takes its images.

    Raises StudyError for what cannot be had on this machine.
    """
    try:
        return catalog.preflight(study.objective, _drawable(study))
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error


def licence_notes(weights: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for each file of weights that may not be used for everything."""
    for network, record in weights.items():
        if is_noncommercial(record["licence"]):
            yield (
                f"the weights of {network} are licensed {record['licence']}, for non-commercial use"
                " only; allow_noncommercial=false refuses such"
            )


def _schedule(objective: str, config: TrialConfig) -> Mapping[str, int] | None:
    """Give how a configuration is planned; None for one that is refused, which is said later."""
    try:
        return catalog.schedule(objective, config)
    except RecipeError:
        return None


def _drawable(study: Study) -> Iterator[TrialConfig]:
    """Yield what is likeliest to be drawn, and what of options and ends can be."""
    yield study.config(study.params.mode())
    yield from map(study.config, study.params.corners())


def _place(study: Study, wishes: Wishes, settings: Settings) -> tuple[Study, Path | None]:
    """Find the data folder; on practice data the study becomes its small practice form."""
    if not needs_folder(study.data):
        return study, None
    folder = find_data(settings, study.name, wishes.data, alias=wishes.name or "")
    if (folder / "practice.json").is_file() and not study.is_practice:
        study = study.for_practice()
    return study, folder
