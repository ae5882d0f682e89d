"""From a study file to a stored study: everything is checked before anything is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from objectives import catalog
from objectives.contract import DataSource
from objectives.data.summary import DataSummary
from search.places import find_data, remember_data
from search.settings import Settings
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.load import load_study
from spaces.params import Choice, Value
from spaces.rules import Finding, check
from spaces.space import TrialConfig
from spaces.stored import data_to_json, differences, fingerprint, from_json, to_json
from spaces.study import Study
from storage.errors import UnknownStudy
from storage.store import Store, StudyRow


class MachineMismatch(Exception):
    """This machine's data is not the study's; the message says what differs and the fix."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks of a study, beside its file.

    pins: values from `--set`. name: from `--as`. trials: the study's new total.
    """

    reference: str
    data: Path | None = None
    pins: Mapping[str, Value] = field(default_factory=dict)
    name: str | None = None
    trials: int | None = None


@dataclass(frozen=True)
class Prepared:
    """A study whose rules hold and whose data can be read, with the data as this machine has it."""

    study: Study
    source: DataSource
    summary: DataSummary
    findings: Sequence[Finding]


def prepare(wishes: Wishes, settings: Settings, store: Store | None) -> Prepared:
    """Check the study, its space and its data, and write nothing.

    store: asked for a study of that name when no study file has it; None checks the file alone.
    Raises StudyError, DataError or RecipeError.
    """
    study, folder = _place(_declared(wishes, store), wishes, settings)
    study = _with_wishes(study, wishes)
    findings = check_rules(study)
    source = DataSource(data_to_json(study), folder, study.seed)
    return Prepared(study, source, catalog.read_data(study.objective, source), findings)


def check_rules(study: Study) -> list[Finding]:
    """Give the warnings of the rules; raises StudyError for the first error."""
    known = catalog.describe(study.objective)
    findings = check(study, known.fields, known.metrics)
    for finding in findings:
        if finding.level == "error":
            raise StudyError(f"{study.name}: {finding.message} ({finding.rule})")
    return findings


def store_study(prepared: Prepared, wishes: Wishes, settings: Settings, store: Store) -> StudyRow:
    """Create the study, or continue the one of that name when nothing that matters has changed.

    Raises StudyError when it changed, MachineMismatch when this machine's data is another.
    """
    row = find(store, prepared.study.name)
    row = _create(prepared, store) if row is None else _continue(row, prepared, wishes, store)
    if prepared.source.folder:
        remember_data(settings, row.name, prepared.source.folder)
    return row


def open_study(
    name: str, data: Path | None, settings: Settings, store: Store
) -> tuple[Study, DataSource]:
    """Give a stored study and this machine's data for it.

    Raises MachineMismatch when the data is not what the study was created on.
    """
    row = store.study(name)
    study = from_json(row.definition)
    folder = find_data(settings, name, data) if needs_folder(study.data) else None
    source = DataSource(data_to_json(study), folder, study.seed)
    check_data(row, catalog.read_data(study.objective, source), folder)
    return study, source


def find(store: Store, name: str) -> StudyRow | None:
    """Give the stored study of that name, or None."""
    try:
        return store.study(name)
    except UnknownStudy:
        return None


def check_data(row: StudyRow, summary: DataSummary, folder: Path | None) -> None:
    """Raise MachineMismatch unless this machine's data is what the study was created on."""
    if row.data_fingerprint != summary.fingerprint:
        raise MachineMismatch(
            f"the data in {folder} is not what study {row.name!r} was created on"
            f" ({summary.fingerprint[:12]}, not {row.data_fingerprint[:12]}); bring the same files"
            " here, or start a new study with --as NAME"
        )


def parse_pins(pins: Sequence[str]) -> dict[str, Value]:
    """Read `key=value` words; numbers, true, false and none are read as such."""
    values: dict[str, Value] = {}
    for pin in pins:
        key, equals, text = pin.partition("=")
        if not (key and equals):
            raise StudyError(f"--set {pin!r} is no key=value; write --set batch_size=64")
        values[key] = _value(text)
    return values


def _declared(wishes: Wishes, store: Store | None) -> Study:
    """Give the study of that file or shipped name, else the one stored under that name."""
    try:
        return load_study(wishes.reference)
    except StudyError:
        row = find(store, wishes.reference) if store else None
        if row is None:
            raise
        return from_json(row.definition)


def _place(study: Study, wishes: Wishes, settings: Settings) -> tuple[Study, Path | None]:
    """Find the data folder; on practice data the study becomes its small practice form."""
    if not needs_folder(study.data):
        return study, None
    folder = find_data(settings, wishes.name or study.name, wishes.data)
    if (folder / "practice.json").is_file() and not study.is_practice:
        study = study.for_practice()
    return study, folder


def _with_wishes(study: Study, wishes: Wishes) -> Study:
    return replace(
        study.pinned(wishes.pins),
        name=wishes.name or study.name,
        trials=wishes.trials or study.trials,
    )


def _create(prepared: Prepared, store: Store) -> StudyRow:
    fields = catalog.describe(prepared.study.objective).fields
    study = prepared.study.with_defaults({name: field["default"] for name, field in fields.items()})
    catalog.preflight(study.objective, _corners(study))
    return store.create(
        study.name,
        to_json(study),
        fingerprint(study),
        prepared.summary.fingerprint,
        study.direction,
        queue=[study.params.mode(), *study.enqueue],
    )


def _continue(row: StudyRow, prepared: Prepared, wishes: Wishes, store: Store) -> StudyRow:
    stored = from_json(row.definition)
    given = prepared.study if wishes.pins else prepared.study.pinned(stored.pins)
    given = given.with_defaults(stored.defaults)
    if fingerprint(given) != row.fingerprint:
        changed = "; ".join(differences(stored, given)) or "the order of the space"
        raise StudyError(
            f"study {row.name!r} has changed since it began ({changed}): undo the change to go on"
            f" with it, or start the changed one with --as {row.name}-2"
        )
    check_data(row, prepared.summary, prepared.source.folder)
    if wishes.trials and wishes.trials != stored.trials:
        return store.update_definition(row.name, to_json(replace(stored, trials=wishes.trials)))
    return row


def _corners(study: Study) -> Iterator[TrialConfig]:
    """Yield the prior's mode once with each option of each choice: every network there can be."""
    mode = study.params.mode()
    yield study.config(mode)
    for param in study.params:
        if isinstance(param, Choice):
            yield from (study.config({**mode, param.name: option}) for option in param.choices)


def _value(text: str) -> Value:
    words: dict[str, Value] = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
