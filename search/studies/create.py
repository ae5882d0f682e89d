"""From a checked study to a stored one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dashboards.analysis.methods.description import describe
from dashboards.analysis.methods.images import count_images
from dashboards.changes import check_total
from dashboards.note import study_note
from dashboards.optuna.marked import PRACTICE, PRACTICE_MEANING
from search.settings import Settings
from search.studies.code import same_code
from search.studies.folders import remember_code, remember_data
from search.studies.mismatch import check_same_data
from search.studies.networks import (
    check_networks,
    check_networks_here,
    check_weights,
    weights_notes,
)
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from search.studies.reopen import as_it_began, find
from search.studies.versions import check_versions, commit_note, with_acceptance, with_versions
from spaces.params import Value
from spaces.space import TrialConfig
from spaces.stored import ADOPTED_FIELDS, StoredStudy, fingerprint, from_json, to_json
from spaces.study import Study
from storage.rows import Shown
from storage.store import NewStudy, Store, StudyRow


def store_study(
    prepared: Prepared,
    overrides: Overrides,
    settings: Settings,
    store: Store,
    too_large: Sequence[Value] = (),
) -> StudyRow:
    """Create the study, or continue the stored one of that name.

    too_large: backbones that a new study leaves out.
    Raises StudyError when the declaration has changed since the study was created, MachineMismatch
    when this machine's data, versions, networks or weights have.
    """
    known = find(store, prepared.study.name)
    if known is None:
        row = _create(prepared, prepared.stored.without_backbones(too_large), store)
    else:
        row = _continue(known, prepared, overrides, store)
        store.show(row.name, _shown(from_json(row.definition)))
    if row != known:
        _write_note(row, prepared, store)
    if prepared.source.folder:
        remember_data(settings, row.name, prepared.source.folder)
    if prepared.code:
        remember_code(settings, row.name, prepared.code)
    return row


def notes_on(row: StudyRow, declared: Study) -> Iterator[str]:
    """Yield the lines that a person should read about a study as it was stored.

    declared: the study as its file and the command line ask for it now.
    """
    stored = from_json(row.definition)
    yield from weights_notes(stored.found.weights)
    yield from filter(None, [commit_note(stored.found)])
    if stored.found.too_large:
        names = ", ".join(map(str, stored.found.too_large))
        yield (
            f"{row.name} leaves out {names}: not one image fits into the memory that was planned"
            " with"
        )
    total = stored.study.trials
    if total != declared.trials:
        yield (
            f"{row.name} goes on to {total} trials, its file says {declared.trials};"
            f" --trials {declared.trials} changes the total"
        )


def _create(prepared: Prepared, declared: StoredStudy, store: Store) -> StudyRow:
    known = with_versions(declared, (row.path for row in prepared.manifest.rows))
    stored = replace(known, found=replace(known.found, weights=check_networks(known)))
    study = stored.study
    new = NewStudy(
        name=study.name,
        definition=to_json(stored),
        fingerprint=fingerprint(stored),
        data_fingerprint=prepared.manifest.fingerprint,
        direction=study.direction,
        trials=study.trials,
        queue=[*_first(stored), *study.enqueue],
        manifest=prepared.manifest.as_csv() if prepared.manifest.rows else None,
        shown=_shown(stored),
    )
    return store.create(new)


def _first(stored: StoredStudy) -> list[TrialConfig]:
    """Return the prior's mode, unless the study tries only configurations of another one."""
    return [] if stored.found.promoted_from else [stored.study.space.mode()]


def _shown(stored: StoredStudy) -> Shown:
    """Return what Optuna's readers show of a study: its metric, and whether its data are drawn."""
    practice = {PRACTICE: PRACTICE_MEANING} if stored.found.is_practice else {}
    return Shown(stored.study.metric, practice)


def _continue(row: StudyRow, prepared: Prepared, overrides: Overrides, store: Store) -> StudyRow:
    stored = from_json(row.definition)
    given = as_it_began(row, prepared.stored, overrides)
    check_same_data(row, prepared.manifest, prepared.source.folder, store)
    check_versions(stored, accepts=overrides.accepts_versions)
    check_weights(stored)
    check_networks_here(stored)
    if overrides.trials:
        check_total(row, overrides.trials, store)
    stored = same_code(stored, prepared.code, accepts=overrides.accepts_code)
    stored = with_acceptance(stored)
    going_on = _adopted(stored, given, overrides.trials)
    if going_on == from_json(row.definition):
        return row
    return store.update_definition(row.name, to_json(going_on), going_on.study.trials)


def _adopted(stored: StoredStudy, given: StoredStudy, trials: int | None) -> StoredStudy:
    """Return the stored study with all that may change while it goes on."""
    fields: dict[str, Any] = {name: getattr(given.study, name) for name in ADOPTED_FIELDS}
    # A check that was skipped once stays skipped.
    skipped = sorted({*stored.found.skipped_checks, *given.found.skipped_checks})
    return StoredStudy(
        replace(stored.study, trials=trials or stored.study.trials, **fields),
        replace(stored.found, skipped_checks=skipped),
    )


def _write_note(row: StudyRow, prepared: Prepared, store: Store) -> None:
    """Write the study note, which the study's page in the dashboard shows."""
    manifest = prepared.manifest
    counts = count_images(manifest.as_csv()) if manifest.rows else None
    store.write_note(row.name, study_note(describe(row, counts)))
