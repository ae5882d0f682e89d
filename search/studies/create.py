"""From a checked study to a stored one, and from a stored one back to a study."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashboards.note import study_note, write_note
from objectives import catalog
from objectives.contract import DataSource
from objectives.files.digest import sha256
from search.errors import MachineMismatch
from search.settings import Settings
from search.studies.declare import Prepared, check_networks, data_source
from search.studies.folders import find_data, remember_data
from search.studies.mismatch import check_same_data
from search.studies.overrides import Wishes
from search.studies.splits import partition_of
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.params import Value
from spaces.stored import (
    ADOPTED_FIELDS,
    differences,
    fingerprint,
    from_json,
    to_json,
)
from spaces.study import Study
from storage.errors import UnknownStudy
from storage.store import Store, StudyRow


def store_study(
    prepared: Prepared,
    wishes: Wishes,
    settings: Settings,
    store: Store,
    too_large: Sequence[Value] = (),
) -> StudyRow:
    """Create the study, or continue the one of that name when nothing that matters has changed.

    too_large: backbones that a new study leaves out. Raises StudyError when it changed,
    MachineMismatch when this machine's data is another.
    """
    known = find(store, prepared.study.name)
    if known is None:
        fitting = replace(prepared, study=prepared.study.without_backbones(too_large))
        row = _create(fitting, store)
    else:
        row = _continue(known, prepared, wishes, store)
    if row != known:
        _note(row, prepared, store)
    if prepared.source.folder:
        remember_data(settings, row.name, prepared.source.folder)
    return row


def open_study(
    name: str, data: Path | None, settings: Settings, store: Store
) -> tuple[Study, DataSource]:
    """Give a stored study and this machine's data for it, split as they were at its creation.

    Raises MachineMismatch when the data or a file of weights is not what it was created on.
    """
    row = store.study(name)
    study = from_json(row.definition)
    folder = find_data(settings, name, data) if needs_folder(study.data) else None
    source = data_source(study, folder, partition_of(name, settings, store))
    manifest = catalog.read_data(study.objective, source, settings.cache)
    check_same_data(row, manifest, folder, store)
    check_weights(study)
    return study, source


def find(store: Store, name: str) -> StudyRow | None:
    """Give the stored study of that name, or None."""
    try:
        return store.study(name)
    except UnknownStudy:
        return None


def as_it_began(row: StudyRow, study: Study, wishes: Wishes) -> Study:
    """Give a stored study as it is declared now, with what was settled when it began.

    Raises StudyError when it has changed since: before its data are read, which another declaration
    would read differently.
    """
    stored = from_json(row.definition)
    given = study if wishes.pins else study.pinned(stored.pins)
    given = given.with_defaults(stored.defaults).without_backbones(stored.too_large)
    if fingerprint(given) != row.fingerprint:
        changed = "; ".join(differences(stored, given)) or "the order of the space"
        raise StudyError(
            f"study {row.name!r} has changed since it began ({changed}): undo the change to go on"
            f" with it, or start the changed one with --as {row.name}-2"
        )
    return given


def check_weights(study: Study) -> None:
    """Raise MachineMismatch unless the study's own files of weights are here and the same ones."""
    for network, record in study.weights.items():
        name = network.partition(" ")[2]
        if name == "pretrained":
            continue  # see `check_networks_here`
        try:
            found = sha256(Path(name).expanduser())
        except OSError as error:
            raise MachineMismatch(
                f"the weights {name} of study {study.name!r} cannot be read here"
                f" ({error.strerror}); bring that file to the same place on this machine"
            ) from error
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the file {name} is not what study {study.name!r} was created with"
                f" ({found[:12]}, not {record['sha256'][:12]}); bring the same file here, or start"
                " a new study with --as NAME"
            )


def check_networks_here(study: Study) -> None:
    """Raise MachineMismatch unless every network starts on this machine as where it was created.

    Fetches published weights that are missing. Takes seconds, since it builds the networks: it is
    asked once on a machine that goes on with a study, and not by each of its workers.
    """
    try:
        here = check_networks(study)
    except StudyError as error:
        raise MachineMismatch(str(error)) from error
    for network, record in study.weights.items():
        found = here.get(network, {}).get("sha256", "none")
        if found != record["sha256"]:
            raise MachineMismatch(
                f"the weights of {network} are here another file than study {study.name!r} was"
                f" created with ({found[:12]}, not {record['sha256'][:12]}); install the versions"
                " that it was created with, or start a new study with --as NAME"
            )


def _create(prepared: Prepared, store: Store) -> StudyRow:
    fields = catalog.describe(prepared.study.objective).fields
    study = prepared.study.with_defaults({name: field["default"] for name, field in fields.items()})
    study = replace(study, weights=check_networks(study))
    return store.create(
        study.name,
        to_json(study),
        fingerprint(study),
        prepared.manifest.fingerprint,
        study.direction,
        study.trials,
        queue=[study.params.mode(), *study.enqueue],
        manifest=prepared.manifest.as_csv() if prepared.manifest.rows else None,
    )


def _continue(row: StudyRow, prepared: Prepared, wishes: Wishes, store: Store) -> StudyRow:
    stored, given = from_json(row.definition), as_it_began(row, prepared.study, wishes)
    check_same_data(row, prepared.manifest, prepared.source.folder, store)
    check_weights(stored)
    check_networks_here(stored)
    if wishes.trials:
        _check_total(row, wishes.trials, store)
    adopted: dict[str, Any] = {name: getattr(given, name) for name in ADOPTED_FIELDS}
    # What was waved through once stays so, and what is now is written down with it.
    adopted["skipped_checks"] = sorted({*stored.skipped_checks, *given.skipped_checks})
    going_on = replace(stored, trials=wishes.trials or stored.trials, **adopted)
    if going_on == stored:
        return row
    return store.update_definition(row.name, to_json(going_on), going_on.trials)


def _check_total(row: StudyRow, total: int, store: Store) -> None:
    begun = sum(trial.state != "WAITING" for trial in store.trials(row.name))
    if total < begun:
        raise StudyError(
            f"{row.name!r} has begun {begun} trials already; give --trials {begun} or more"
        )


def _note(row: StudyRow, prepared: Prepared, store: Store) -> None:
    """Write what the study is where its page in the dashboard shows it."""
    metric = catalog.describe(prepared.study.objective).metrics[prepared.study.metric]
    text = study_note(row.definition, prepared.summary.counts, metric["doc"])
    write_note(store, row.name, text)
