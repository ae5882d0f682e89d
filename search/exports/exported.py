"""An exported trial: the one format that files, retraining and other formats are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from objectives.contract import ObjectiveKey
from search.exports.fields import Fields, UnusableField
from spaces.data import KINDS, kind_needs_folder
from spaces.own import KIND_OF_OWN, OWN_KINDS
from spaces.script import Script

EXPORT_FORMAT = 1


@dataclass(frozen=True)
class ExportedEpoch:
    """The metrics of one recorded epoch, without its times: a repeated epoch gives them again."""

    epoch: int
    metrics: Mapping[str, float]

    def as_mapping(self) -> dict[str, Any]:
        """Return the epoch as plain data, its number first."""
        return {"epoch": self.epoch, **self.metrics}

    @classmethod
    def from_fields(cls, fields: Fields) -> "ExportedEpoch":
        """Read an epoch back."""
        return cls(fields.whole("epoch"), fields.numbers(without="epoch"))


@dataclass(frozen=True, kw_only=True)
class ExportedData:
    """The data that a trial was trained on, and how they were split."""

    layout: Mapping[str, Any]  # the study's data declaration
    split_seed: int
    folds: int  # 0: one split
    has_test: bool
    fingerprint: str
    splits: Mapping[str, Any] | None  # as `search.studies.splits.pack` packs them; None: no images

    @property
    def needs_folder(self) -> bool:
        """Whether the data lie in a folder that the user must name."""
        return kind_needs_folder(self.layout["kind"])

    def as_mapping(self) -> dict[str, Any]:
        """Return the data as a plain mapping."""
        plain = {
            "layout": dict(self.layout),
            "split_seed": self.split_seed,
            "folds": self.folds,
            "has_test": self.has_test,
            "fingerprint": self.fingerprint,
        }
        return plain if self.splits is None else {**plain, "splits": dict(self.splits)}

    @classmethod
    def from_fields(cls, fields: Fields) -> "ExportedData":
        """Read the data back."""
        if fields.within("layout").text("kind") not in KINDS:
            raise UnusableField("data.layout.kind")
        return cls(
            layout=fields.mapping("layout"),
            split_seed=fields.whole("split_seed"),
            folds=fields.whole("folds"),
            has_test=fields.flag("has_test"),
            fingerprint=fields.text("fingerprint"),
            splits=fields.mapping("splits") if fields.has("splits") else None,
        )


@dataclass(frozen=True, kw_only=True)
class ExportedValue:
    """A trial's value and the metric it belongs to; the number is None for an unfinished trial."""

    metric: str
    direction: str  # "minimize" or "maximize"
    of: str  # "best" or "last": which epoch counts
    value: float | None

    @classmethod
    def from_fields(cls, fields: Fields) -> "ExportedValue":
        """Read the value back."""
        return cls(
            metric=fields.text("metric"),
            direction=fields.text("direction"),
            of=fields.text("of"),
            value=fields.optional_number("value"),
        )


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """The machine of a trial's last attempt."""

    device: str
    threads: int
    device_class: str
    versions: Mapping[str, str]
    commit: str | None  # None outside a git checkout

    def as_mapping(self) -> dict[str, Any]:
        """Return the machine as a plain mapping."""
        return {
            "device": self.device,
            "threads": self.threads,
            "device_class": self.device_class,
            "versions": dict(self.versions),
            "commit": self.commit,
        }

    @classmethod
    def from_fields(cls, fields: Fields) -> "TrainedOn":
        """Read the machine back."""
        return cls(
            device=fields.text("device"),
            threads=fields.whole("threads"),
            device_class=fields.text("device_class"),
            versions=fields.text_mapping("versions"),
            commit=fields.optional_text("commit"),
        )


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Everything that is needed to train a trial again and to check the result."""

    study: str
    trial: int
    outcome: str  # a word of storage.rows.Outcome, or the state of a trial that goes on
    badges: tuple[str, ...]
    practice_data: bool
    objective: str
    config: Mapping[str, Any]  # every hyperparameter of the objective
    searched: tuple[str, ...]  # the names of those that the study searches
    weights: Mapping[str, str]  # the file that training started from; empty: random weights
    seed: int
    data: ExportedData
    skipped_checks: tuple[str, ...]
    accepted_versions: tuple[Mapping[str, Any], ...]  # beside those of the study's creation
    test_uses: int
    value: ExportedValue
    value_epochs: tuple[ExportedEpoch, ...]  # the epoch that the value is of, one per fold
    last_epoch: ExportedEpoch
    trained_on: TrainedOn
    threads_of_attempts: tuple[int, ...]  # of every attempt that recorded an epoch
    own: Mapping[str, Any] = field(default_factory=dict)  # the author's own code, as stored

    @property
    def objective_key(self) -> ObjectiveKey:
        """The objective as the catalog takes it."""
        return self.own or self.objective

    def as_mapping(self) -> dict[str, Any]:
        """Return the export as plain data, in the order of the file."""
        value_epochs = [each.as_mapping() for each in self.value_epochs]
        numbers = [each.epoch for each in self.value_epochs]
        has_folds = self.data.folds > 0
        return {
            "format": EXPORT_FORMAT,
            "study": self.study,
            "trial": self.trial,
            "outcome": self.outcome,
            "badges": list(self.badges),
            "practice_data": self.practice_data,
            "objective": self.objective,
            **({"own": dict(self.own)} if self.own else {}),
            "config": dict(self.config),
            "searched": list(self.searched),
            "weights": dict(self.weights),
            "seed": self.seed,
            "data": self.data.as_mapping(),
            "skipped_checks": list(self.skipped_checks),
            "accepted_versions": [dict(each) for each in self.accepted_versions],
            "test_uses": self.test_uses,
            "value": {
                "metric": self.value.metric,
                "direction": self.value.direction,
                "of": self.value.of,
                **({"epochs": numbers} if has_folds else {"epoch": numbers[0]}),
                "value": self.value.value,
            },
            "metrics": {
                **(
                    {"value_epochs": value_epochs}
                    if has_folds
                    else {"value_epoch": value_epochs[0]}
                ),
                "last_epoch": self.last_epoch.as_mapping(),
            },
            "trained_on": self.trained_on.as_mapping(),
            "threads_of_attempts": list(self.threads_of_attempts),
        }

    @classmethod
    def from_mapping(cls, plain: Mapping[str, Any]) -> "Exported":
        """Read an export back; UnusableField names a field that is missing or of another type."""
        fields = Fields(plain)
        data = ExportedData.from_fields(fields.within("data"))
        return cls(
            study=fields.text("study"),
            trial=fields.whole("trial"),
            outcome=fields.text("outcome"),
            badges=fields.texts("badges"),
            practice_data=fields.flag("practice_data"),
            objective=fields.text("objective"),
            own=_own(fields) if fields.has("own") else {},
            config=fields.mapping("config"),
            searched=fields.texts("searched"),
            weights=fields.text_mapping("weights"),
            seed=fields.whole("seed"),
            data=data,
            skipped_checks=fields.texts("skipped_checks"),
            accepted_versions=tuple(map(_acceptance, fields.each("accepted_versions"))),
            test_uses=fields.whole("test_uses"),
            value=ExportedValue.from_fields(fields.within("value")),
            value_epochs=_value_epochs(fields, has_folds=data.folds > 0),
            last_epoch=ExportedEpoch.from_fields(fields.within("metrics").within("last_epoch")),
            trained_on=TrainedOn.from_fields(fields.within("trained_on")),
            threads_of_attempts=fields.wholes("threads_of_attempts"),
        )


def _acceptance(fields: Fields) -> dict[str, Any]:
    """Read an acceptance of other versions back."""
    texts = {name: fields.text(name) for name in ("at", "host")}
    return texts | {name: fields.text_mapping(name) for name in ("versions", "instead_of")}


def _own(fields: Fields) -> dict[str, Any]:
    """Read the author's own code as it is; UnusableField where what names or runs it is missing."""
    own = fields.within("own")
    if own.text("kind") not in OWN_KINDS:
        raise UnusableField("own.kind")
    own.text("reference")
    own.flag("deterministic")
    own.text_mapping("files")
    own.text_mapping("sources")
    if own.text("kind") == KIND_OF_OWN[Script]:
        own.mapping("declared")
    if not own.has("fields"):
        raise UnusableField("own.fields")
    return fields.mapping("own")


def _value_epochs(fields: Fields, has_folds: bool) -> tuple[ExportedEpoch, ...]:
    """Read the epochs that the value is of; the file has their numbers beside the value, too."""
    value, metrics = fields.within("value"), fields.within("metrics")
    if has_folds:
        numbers, each = value.wholes("epochs"), metrics.each("value_epochs")
    else:
        numbers, each = (value.whole("epoch"),), [metrics.within("value_epoch")]
    epochs = tuple(map(ExportedEpoch.from_fields, each))
    if not epochs or numbers != tuple(epoch.epoch for epoch in epochs):
        raise UnusableField("value.epochs" if has_folds else "value.epoch")
    return epochs
