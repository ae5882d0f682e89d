"""Find the study that a command names, and the folder of its data on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from objectives import catalog
from objectives.contract import DataSource
from search.settings import Settings
from search.studies.folders import find_code, find_data
from search.studies.overrides import Overrides
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.found import Found
from spaces.load import load_study
from spaces.rules.fields import default_values
from spaces.stored import StoredStudy, data_to_json, from_json, own_to_json
from spaces.study import Study


@dataclass(frozen=True)
class Declared:
    """A study as its file and the command line ask for it, and this machine's folder of its data.

    folder: None for a study whose data need none.
    code: this machine's folder of the author's own code; None where the objective is a shipped one.
    """

    stored: StoredStudy
    folder: Path | None
    code: Path | None = None

    @property
    def study(self) -> Study:
        """The study as its author wrote it."""
        return self.stored.study


def declare(overrides: Overrides, settings: Settings) -> Declared:
    """Find the study that was asked for, and its data.

    In a folder of practice data it is the study's practice form. Raises StudyError where there is
    no such study, DataError where there is no folder of its data.
    """
    stored = find_study(overrides.reference, settings)
    folder = None
    if needs_folder(stored.study.data):
        folder = find_data(settings, stored.study.name, overrides.data, alias=overrides.name or "")
        if (folder / "practice.json").is_file() and not stored.found.is_practice:
            stored = stored.for_practice()
    declared = _promoted(overridden(stored, overrides), overrides, settings)
    return Declared(declared, folder, code_of(stored, overrides.reference, settings))


def code_of(stored: StoredStudy, reference: str, settings: Settings) -> Path | None:
    """Return this machine's folder of a study's own code; None where it has none."""
    if not stored.found.own:
        return None
    return find_code(settings, stored.study.name, reference)


def _promoted(stored: StoredStudy, overrides: Overrides, settings: Settings) -> StoredStudy:
    if overrides.promote is None:
        return stored
    from search.studies.promote import promoted  # SQLAlchemy: only when a store is asked

    return promoted(stored, overrides.promote, overrides.trials, settings)


def find_study(reference: str, settings: Settings) -> StoredStudy:
    """Load a study from its file or by its shipped name, else the stored study of that name.

    Raises StudyError where there is none, RecipeError for an unknown objective.
    """
    try:
        return resolved(load_study(reference), Path(reference).resolve().parent, settings.cache)
    except StudyError:
        stored = None if reference.endswith(".py") else _find_stored(reference, settings)
        if stored is None:
            raise
        return stored


def stored_name(reference: str) -> str:
    """Return the name of the stored study that a command means, by its name or its file.

    Raises StudyError for a file that cannot be used.
    """
    return load_study(reference).name if reference.endswith(".py") else reference


def resolved(study: Study, folder: Path | None = None, cache: Path | None = None) -> StoredStudy:
    """Return the study with its objective's defaults written beside it.

    folder: of the study file, where its own code is looked for.
    cache: this machine's folder for facts about code that was read before.
    Raises RecipeError for an unknown objective, and for code that cannot be used.
    """
    own: Mapping[str, Any] = {}
    if not isinstance(study.objective, str):
        own = catalog.read_code(own_to_json(study), folder or Path(), cache)
    stored = StoredStudy(study, Found(own=own))
    fields = catalog.describe(stored.objective).fields or {}
    return replace(stored, found=Found(own=own, defaults=default_values(fields)))


def overridden(stored: StoredStudy, overrides: Overrides) -> StoredStudy:
    """Return the study with the overrides of the command line applied."""
    pinned = stored.pinned(overrides.pins)
    study, found = pinned.study, pinned.found
    name = study.name if overrides.name is None else overrides.name
    trials = overrides.trials or study.trials
    skipped = sorted({*found.skipped_checks, *overrides.skipped})
    if overrides.promote:  # a guarantee would ask for more trials than are promoted
        study = replace(study, at_least={})
    return StoredStudy(
        replace(study, name=name, trials=trials), replace(found, skipped_checks=skipped)
    )


def data_source(study: Study, folder: Path | None, partition: Path | None = None) -> DataSource:
    """Return the place of the study's data on this machine, and how to read them.

    partition: a file with the split of each image, where the study's splits are stored.
    """
    return DataSource(
        layout=data_to_json(study),
        folder=folder,
        split_seed=study.seed,
        folds=study.folds,
        has_test=study.has_test,
        partition=partition,
    )


def _find_stored(name: str, settings: Settings) -> StoredStudy | None:
    from search.database import has_store, open_store  # SQLAlchemy: only when a store is asked

    if not has_store(settings):
        return None
    with open_store(settings) as store:
        row = next((row for row in store.studies() if row.name == name), None)
    return from_json(row.definition) if row else None
