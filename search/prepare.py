"""From what was typed to a study whose rules hold and whose data can be read."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from objectives import catalog
from objectives.contract import DataSource, RecipeError
from objectives.data.summary import DataSummary
from objectives.recipe.network import is_noncommercial
from search.places import find_data
from search.settings import Settings
from spaces.data import needs_folder
from spaces.errors import StudyError
from spaces.load import load_study
from spaces.params import Value
from spaces.rules.check import check
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.stored import data_to_json, from_json
from spaces.study import Study

if TYPE_CHECKING:  # it brings numpy, which checking the rules alone does without
    from objectives.data.manifest import Manifest


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


def wishes_of(arguments: Namespace) -> Wishes:
    """Give what was typed of a study that is to be run or planned."""
    pins = parse_pins(arguments.pins)
    return Wishes(arguments.study, arguments.data, pins, arguments.name, arguments.trials)


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


def prepare(wishes: Wishes, settings: Settings) -> Prepared:
    """Check the study, its space and its data, and write nothing.

    Raises StudyError, DataError or RecipeError.
    """
    study, folder = _place(declared_study(wishes.reference, settings), wishes, settings)
    study = _with_wishes(study, wishes)
    findings = check_rules(study)
    source = data_source(study, folder)
    manifest = catalog.read_data(study.objective, source, settings.cache)
    _check_sizes(study, manifest.summary)
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
    from search.opened import has_store, open_store  # SQLAlchemy: only when a store is asked

    if not has_store(settings):
        return None
    with open_store(settings) as store:
        row = next((row for row in store.studies() if row.name == name), None)
    return from_json(row.definition) if row else None


def check_rules(study: Study) -> list[Finding]:
    """Give the warnings of the rules; raises StudyError for the first error.

    An error is also a corner of the space that the objective would refuse to train.
    """
    known = catalog.describe(study.objective)
    findings = check(study, known.fields, known.metrics, partial(_schedule, study.objective))
    for finding in findings:
        if finding.level == "error":
            raise StudyError(f"{study.name}: {finding.message} ({finding.rule})")
    try:
        for config in _drawable(study):
            catalog.check(study.objective, config)
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error
    return findings


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


def parse_pins(pins: Sequence[str]) -> dict[str, Value]:
    """Read `key=value` words; numbers, true and false are read as such."""
    values: dict[str, Value] = {}
    for pin in pins:
        key, equals, text = pin.partition("=")
        if not (key and equals):
            raise StudyError(f"--set {pin!r} is no key=value; write --set batch_size=64")
        values[key] = _value(text)
    return values


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


def _check_sizes(study: Study, summary: DataSummary) -> None:
    if not summary.classes:
        return
    images = sum(summary.counts["train"].values())
    try:
        for config in _drawable(study):
            catalog.check_sizes(study.objective, config, images, len(summary.classes))
    except RecipeError as error:
        raise StudyError(f"{study.name}: {error}") from error


def _place(study: Study, wishes: Wishes, settings: Settings) -> tuple[Study, Path | None]:
    """Find the data folder; on practice data the study becomes its small practice form."""
    if not needs_folder(study.data):
        return study, None
    folder = find_data(settings, study.name, wishes.data, alias=wishes.name or "")
    if (folder / "practice.json").is_file() and not study.is_practice:
        study = study.for_practice()
    return study, folder


def _with_wishes(study: Study, wishes: Wishes) -> Study:
    return replace(
        study.pinned(wishes.pins),
        name=wishes.name or study.name,
        trials=wishes.trials or study.trials,
    )


def _value(text: str) -> Value:
    words: dict[str, Value] = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
