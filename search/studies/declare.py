"""From the words that were typed to a study, and to this machine's folder of its data."""

from dataclasses import dataclass, replace
from pathlib import Path

from objectives.contract import DataSource
from search.settings import Settings
from search.studies.folders import find_data
from search.studies.overrides import Overrides, check_skippable
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.load import load_study
from spaces.stored import data_to_json, from_json
from spaces.study import Study


@dataclass(frozen=True)
class Declared:
    """A study as its file and the command line want it, and this machine's folder of its data."""

    study: Study
    folder: Path | None


def declare(overrides: Overrides, settings: Settings) -> Declared:
    """Give the study that is asked for; DataError when there is no folder of its data."""
    study, folder = _place(declared_study(overrides.reference, settings), overrides, settings)
    return Declared(overridden(study, overrides), folder)


def overridden(study: Study, overrides: Overrides) -> Study:
    """Give the study as the command line wants it; StudyError for a check that none may skip."""
    check_skippable(study.skipped_checks)  # the file's own
    return replace(
        study.pinned(overrides.pins),
        name=overrides.name or study.name,
        trials=overrides.trials or study.trials,
        skipped_checks=sorted({*study.skipped_checks, *overrides.skipped}),
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


def data_source(study: Study, folder: Path | None, partition: Path | None = None) -> DataSource:
    """Give how this study's data is read out of this machine's folder."""
    return DataSource(
        data_to_json(study), folder, study.seed, study.folds, study.has_test, partition
    )


def _stored_study(name: str, settings: Settings) -> Study | None:
    from search.database import has_store, open_store  # SQLAlchemy: only when a store is asked

    if not has_store(settings):
        return None
    with open_store(settings) as store:
        row = next((row for row in store.studies() if row.name == name), None)
    return from_json(row.definition) if row else None


def _place(study: Study, overrides: Overrides, settings: Settings) -> tuple[Study, Path | None]:
    """Find the data folder; on practice data the study becomes its small practice form."""
    if not needs_folder(study.data):
        return study, None
    folder = find_data(settings, study.name, overrides.data, alias=overrides.name or "")
    if (folder / "practice.json").is_file() and not study.is_practice:
        study = study.for_practice()
    return study, folder
