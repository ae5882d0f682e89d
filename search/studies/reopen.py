"""From a stored study back to a study, and to its data on this machine."""

from pathlib import Path

from objectives import catalog
from objectives.contract import DataSource
from search.settings import Settings
from search.studies.declare import data_source
from search.studies.folders import find_data
from search.studies.mismatch import check_same_data
from search.studies.networks import check_weights
from search.studies.overrides import Overrides
from search.studies.splits import partition_of
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.stored import differences, fingerprint, from_json
from spaces.study import Study
from storage.errors import UnknownStudy
from storage.store import Store, StudyRow


def open_study(
    name: str, data: Path | None, settings: Settings, store: Store
) -> tuple[Study, DataSource]:
    """Give a stored study and this machine's data for it, split as they were at its creation.

    Raises MachineMismatch when the data or a file of weights is not what it was created on.
    """
    row = store.study(name)
    study = from_json(row.definition)
    folder = find_data(settings, name, data) if needs_folder(study.data) else None
    split = data_source(study, folder, partition_of(name, settings, store))
    source = catalog.list_data(study.objective, split, settings.cache)
    check_same_data(row, source.manifest, folder, store)
    check_weights(study)
    return study, source


def find(store: Store, name: str) -> StudyRow | None:
    """Give the stored study of that name, or None."""
    try:
        return store.study(name)
    except UnknownStudy:
        return None


def as_it_began(row: StudyRow, study: Study, overrides: Overrides) -> Study:
    """Give a stored study as it is declared now, with what was settled when it began.

    Raises StudyError when it has changed since: before its data are read, which another declaration
    would read differently.
    """
    stored = from_json(row.definition)
    given = study if overrides.pins else study.pinned(stored.pins)
    given = given.with_defaults(stored.defaults).without_backbones(stored.too_large)
    if fingerprint(given) != row.fingerprint:
        changed = "; ".join(differences(stored, given)) or "the order of the space"
        raise StudyError(
            f"study {row.name!r} has changed since it began ({changed}): undo the change to go on"
            f" with it, or start the changed one with --as {row.name}-2"
        )
    return given
