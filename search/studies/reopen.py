"""Open a stored study again, with its data on this machine."""

from dataclasses import replace
from pathlib import Path

from objectives import catalog
from objectives.data.manifest.listed import ListedData
from search.settings import Settings
from search.studies.declare import data_source
from search.studies.folders import find_data
from search.studies.mismatch import check_same_data
from search.studies.overrides import Overrides
from search.studies.splits import partition_of
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.stored import StoredStudy, differences, fingerprint, from_json
from storage.errors import UnknownStudy
from storage.store import Store, StudyRow


def open_study(
    name: str, data: Path | None, settings: Settings, store: Store
) -> tuple[StoredStudy, ListedData]:
    """Return a stored study and this machine's data for it, with the splits of its creation.

    data: the data's folder; None for the folder that this machine used last.
    Raises MachineMismatch when the data have changed since its creation.
    """
    row = store.study(name)
    stored = from_json(row.definition)
    study = stored.study
    folder = find_data(settings, name, data) if needs_folder(study.data) else None
    split = data_source(study, folder, partition_of(name, settings, store))
    source = catalog.list_data(stored.objective, split, settings.cache)
    check_same_data(row, source.manifest, folder, store)
    return stored, source


def has_ended(row: StudyRow, store: Store) -> bool:
    """Say whether every trial of the study's total has ended."""
    return row.trials is not None and store.counts(row.name).ended >= row.trials


def find(store: Store, name: str) -> StudyRow | None:
    """Return the stored study of that name, or None."""
    try:
        return store.study(name)
    except UnknownStudy:
        return None


def as_it_began(row: StudyRow, declared: StoredStudy, overrides: Overrides) -> StoredStudy:
    """Return the study as it is declared now, with the values that were settled when it began.

    Raises StudyError when the declaration has changed since then. Call this before the data are
    read: a changed declaration would read them differently.
    """
    stored = from_json(row.definition)
    given = declared if overrides.pins else declared.pinned(stored.found.pins)
    given = replace(given, found=replace(given.found, defaults=stored.found.defaults))
    given = given.without_backbones(stored.found.too_large)
    if fingerprint(given) != row.fingerprint:
        changed = "; ".join(differences(stored, given)) or "the order of the space"
        raise StudyError(
            f"study {row.name!r} has changed since it began ({changed})",
            f"undo the change to go on with it, or start the changed one with --as {row.name}-2",
        )
    return given
