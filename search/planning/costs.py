"""What a study will cost on this device, before it starts: memory, time, what cannot fit."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from objectives import catalog
from objectives.files.whole import write_text_whole
from objectives.probes.cost import Cost, Inputs, SharedDevice, measure_costs
from search.processes.devices import DeviceShare, worker_environment
from search.processes.machine import device_class
from search.processes.spawn import launcher
from search.settings import Settings
from search.studies.examine import Prepared
from spaces.errors import StudyError
from spaces.params import Choice, Value
from spaces.space import TrialConfig
from spaces.stored import StoredStudy, fingerprint
from spaces.study import Study

FORWARD_SHARE = 1 / 3  # of a step; validation goes forward only


@dataclass(frozen=True)
class Row:
    """One backbone and batch size: what it costs, and how likely a trial draws it."""

    backbone: str
    batch_size: int
    weight: float
    cost: Cost
    epoch_seconds: float

    @property
    def fits(self) -> bool:
        """Whether it can be trained at all, if only image by image."""
        return self.cost.micro_batch > 0


@dataclass(frozen=True)
class Plan:
    """A study's rows on one kind of device. epochs: of a mean trial; trials: the budget.

    folds: how often a trial goes through its epochs, each time with another network; 0 is once.
    fingerprint: what was planned; with another image size, say, other backbones fit.
    """

    study: str
    fingerprint: str
    device_class: str
    workers: int
    rows: Sequence[Row]
    epochs: float
    trials: int
    folds: int = 0

    @property
    def excluded(self) -> list[str]:
        """The backbones of which not even one image fits, whatever the batch size."""
        backbones = dict.fromkeys(row.backbone for row in self.rows)
        fitting = {row.backbone for row in self.rows if row.fits}
        return [backbone for backbone in backbones if backbone not in fitting]

    @property
    def trial_seconds(self) -> float:
        """The seconds of a mean trial, all its folds: every row by how likely it is drawn."""
        rows = [row for row in self.rows if row.fits]
        whole = sum(row.weight for row in rows)
        if not whole:
            return 0.0
        mean = sum(row.weight / whole * row.epoch_seconds for row in rows)
        return max(1, self.folds) * self.epochs * mean

    @property
    def hours(self) -> float:
        """The hours that the whole budget takes all workers together, nothing pruned."""
        return self.trials * self.trial_seconds / self.workers / 3600


def make_rows(prepared: Prepared, shares: Sequence[DeviceShare]) -> Iterator[Row]:
    """Yield a row per backbone and batch size of the space, as each is measured on the first share.

    Workers that have the same device share its memory. Raises StudyError for an objective that has
    no backbone.
    """
    wanted = combinations(prepared.stored)
    costs = measure_costs(
        [config for config, _ in wanted],
        probe_inputs(prepared),
        SharedDevice(
            device=shares[0].device,
            workers=sum(share.visible == shares[0].visible for share in shares),
            environment=worker_environment(shares[0], os.environ),
            launcher=launcher(),
        ),
    )
    for (config, weight), cost in zip(wanted, costs, strict=True):
        batch_size, seconds = _int(config["batch_size"]), _epoch_seconds(prepared, config, cost)
        yield Row(str(config["backbone"]), batch_size, weight, cost, seconds)


def probe_inputs(prepared: Prepared) -> Inputs:
    """Return the data that a measured network of this study would be trained on."""
    classes = len(prepared.summary.classes)
    return Inputs(prepared.study.objective, classes, catalog.channels(prepared.source))


def combinations(stored: StoredStudy) -> list[tuple[TrialConfig, float]]:
    """Give the configuration and prior weight of every backbone and batch size, all else usual.

    Usual is the prior's mode, but for the largest of the image sizes.
    """
    _check_backbone(stored.study)
    space = stored.study.space
    sizes = space.get("image_size")
    dearest = {"image_size": max(map(_int, sizes.corners()))} if sizes else {}

    def config(backbone: Value, batch_size: Value) -> TrialConfig:
        given = {**dearest, "backbone": backbone, "batch_size": batch_size}
        return stored.config(space.mode_with(given))

    backbones, batches = (_options(stored, name) for name in ("backbone", "batch_size"))
    return [
        (config(backbone, batch_size), likely * as_likely)
        for (backbone, likely), (batch_size, as_likely) in product(backbones, batches)
    ]


def planned_epochs(stored: StoredStudy) -> float:
    """Give the epochs of a mean trial: the middle of what can be drawn."""
    return fmean(_int(value) for value, _ in _options(stored, "epochs"))


def make_room(settings: Settings) -> Path:
    """Give the folder that plans are kept in, made if need be; OSError where none can be."""
    folder = settings.home / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remember(plan: Plan, settings: Settings) -> None:
    """Keep what a plan found out, for the run that starts the study on this machine."""
    path = make_room(settings) / f"{plan.study}.json"
    write_text_whole(path, json.dumps(as_mapping(plan), indent=2))


def excluded_here(stored: StoredStudy, device: str, workers: int, settings: Settings) -> list[str]:
    """Give the backbones that a plan of just this study, device and workers found too large."""
    try:
        plan = json.loads((settings.home / "plans" / f"{stored.study.name}.json").read_text())
    except (OSError, ValueError, RecursionError):
        return []
    ours = {
        "fingerprint": fingerprint(stored),
        "device_class": device_class(device),
        "workers": workers,
    }
    if not (isinstance(plan, dict) and ours.items() <= plan.items()):
        return []
    excluded = plan.get("excluded")
    if not isinstance(excluded, list):  # a file of another version
        return []
    return [each for each in excluded if isinstance(each, str)]


def as_mapping(plan: Plan) -> dict[str, Any]:
    """Give a plan as plain JSON."""
    return {
        **asdict(plan),
        "excluded": plan.excluded,
        "trial_seconds": plan.trial_seconds,
        "hours": plan.hours,
    }


def _check_backbone(study: Study) -> None:
    if "backbone" not in catalog.describe(study.objective).fields:
        raise StudyError(
            f"{study.name}: {study.objective} has no backbone whose cost could be measured; plan a "
            "study of image_classifier"
        )


def _options(stored: StoredStudy, name: str) -> list[tuple[Value, float]]:
    """Give what a parameter can be, each with its share of the trials."""
    param = stored.study.space.get(name)
    if param is None:
        return [(stored.settled[name], 1.0)]
    weights = param.weights if isinstance(param, Choice) else (1.0,) * len(param.corners())
    whole = sum(weights)
    return [(value, weight / whole) for value, weight in zip(param.corners(), weights, strict=True)]


def _epoch_seconds(prepared: Prepared, config: TrialConfig, cost: Cost) -> float:
    """Give an epoch's seconds: all training images, and the validation images forward only."""
    images = {split: sum(counts.values()) for split, counts in prepared.summary.counts.items()}
    limits = {"train": "max_train_samples", "val": "max_val_samples"}
    train, val = (
        min(images[split], _int(config[limit]) or images[split]) for split, limit in limits.items()
    )
    batch = min(_int(config["batch_size"]), train)
    return (train + FORWARD_SHARE * val) * cost.step_seconds / batch


def _int(value: Value) -> int:
    assert isinstance(value, int)  # the rules have seen to it
    return value
