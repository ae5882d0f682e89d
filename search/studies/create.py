"""From a checked study to a stored one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dashboards.note import study_note, write_note
from objectives import catalog
from search.settings import Settings
from search.studies.examine import Prepared
from search.studies.folders import remember_data
from search.studies.mismatch import check_same_data
from search.studies.networks import check_networks, check_networks_here, check_weights
from search.studies.overrides import Overrides
from search.studies.reopen import as_it_began, find
from spaces.errors import StudyError
from spaces.params import Value
from spaces.stored import (
    ADOPTED_FIELDS,
    fingerprint,
    from_json,
    to_json,
)
from storage.store import NewStudy, Store, StudyRow


def store_study(
    prepared: Prepared,
    overrides: Overrides,
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
        row = _continue(known, prepared, overrides, store)
    if row != known:
        _note(row, prepared, store)
    if prepared.source.folder:
        remember_data(settings, row.name, prepared.source.folder)
    return row


def _create(prepared: Prepared, store: Store) -> StudyRow:
    fields = catalog.describe(prepared.study.objective).fields
    study = prepared.study.with_defaults({name: field["default"] for name, field in fields.items()})
    study = replace(study, weights=check_networks(study))
    new = NewStudy(
        name=study.name,
        definition=to_json(study),
        fingerprint=fingerprint(study),
        data_fingerprint=prepared.manifest.fingerprint,
        direction=study.direction,
        trials=study.trials,
        queue=[study.params.mode(), *study.enqueue],
        manifest=prepared.manifest.as_csv() if prepared.manifest.rows else None,
    )
    return store.create(new)


def _continue(row: StudyRow, prepared: Prepared, overrides: Overrides, store: Store) -> StudyRow:
    stored, given = from_json(row.definition), as_it_began(row, prepared.study, overrides)
    check_same_data(row, prepared.manifest, prepared.source.folder, store)
    check_weights(stored)
    check_networks_here(stored)
    if overrides.trials:
        _check_total(row, overrides.trials, store)
    adopted: dict[str, Any] = {name: getattr(given, name) for name in ADOPTED_FIELDS}
    # What was waved through once stays so, and what is now is written down with it.
    adopted["skipped_checks"] = sorted({*stored.skipped_checks, *given.skipped_checks})
    going_on = replace(stored, trials=overrides.trials or stored.trials, **adopted)
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
