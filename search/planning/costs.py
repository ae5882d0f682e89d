"""The memory and time that a backbone and a batch size cost, measured on this device."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean

from objectives import catalog
from objectives.probes.cost import Cost, SharedDevice, measure_costs
from search.processes.devices import DeviceShare, worker_environment
from search.processes.spawn import launcher
from search.studies.prepare import Prepared
from search.studies.throughput import probe_inputs
from spaces.errors import StudyError
from spaces.params import Choice, Value
from spaces.space import TrialConfig
from spaces.stored import StoredStudy

FORWARD_SHARE = 1 / 3  # of a step; validation goes forward only


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """The cost of one backbone and batch size.

    weight: the share of the trials that draw it.
    cost: within the memory that one worker may take.
    epoch_seconds: training and validation.
    alone_bytes: the memory that it takes where a worker has the device alone; 0 where a whole
        batch does not fit even then.
    device_bytes: the memory of the device.
    """

    backbone: str
    batch_size: int
    weight: float
    cost: Cost
    epoch_seconds: float
    alone_bytes: float = 0.0
    device_bytes: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether it can be trained at all, if only one image at a time."""
        return self.cost.micro_batch > 0


def make_rows(prepared: Prepared, share: DeviceShare) -> Iterator[CostRow]:
    """Measure every backbone and batch size of the space, and yield a row as each is done.

    What does not fit several times into the memory is measured again, within the share of one
    worker. These rows come last.

    share: the device, and the part of it that one worker gets.
    Raises StudyError for an objective that has no backbone.
    """
    wanted = combinations(prepared.stored)
    alone = _measured(prepared, share, [config for config, _ in wanted], memory=1.0)
    short: list[tuple[TrialConfig, CostRow]] = []
    for (config, weight), cost in zip(wanted, alone, strict=True):
        part = replace(cost, capacity_bytes=share.memory * cost.capacity_bytes)
        row = CostRow(
            backbone=str(config["backbone"]),
            batch_size=_int(config["batch_size"]),
            weight=weight,
            cost=part,
            epoch_seconds=_epoch_seconds(prepared, config, cost),
            alone_bytes=_whole_batch_bytes(config, cost),
            device_bytes=cost.capacity_bytes,
        )
        if share.memory == 1 or 0 < row.alone_bytes <= part.capacity_bytes:
            yield row
        else:
            short.append((config, row))
    again = _measured(prepared, share, [config for config, _ in short], memory=share.memory)
    for (config, row), cost in zip(short, again, strict=True):
        yield replace(row, cost=cost, epoch_seconds=_epoch_seconds(prepared, config, cost))


def _measured(
    prepared: Prepared, share: DeviceShare, configs: Sequence[TrialConfig], memory: float
) -> Iterator[Cost]:
    if not configs:
        return
    yield from measure_costs(
        configs,
        probe_inputs(prepared),
        SharedDevice(
            device=share.device,
            memory=memory,
            environment=worker_environment(share, os.environ),
            launcher=launcher(),
        ),
    )


def _whole_batch_bytes(config: TrialConfig, cost: Cost) -> float:
    batch_size = _int(config["batch_size"])
    asked = min(_int(config.get("micro_batch") or batch_size), batch_size)
    return cost.memory_bytes if cost.micro_batch >= asked else 0.0


def combinations(stored: StoredStudy) -> list[tuple[TrialConfig, float]]:
    """Return a configuration and its share of the trials for every backbone and batch size.

    The other parameters are at the prior's mode, except for the image size: the largest counts.
    """
    _check_backbone(stored)
    space = stored.study.space
    sizes = space.get("image_size")
    costliest = {"image_size": max(map(_int, sizes.corners()))} if sizes else {}

    def config(backbone: Value, batch_size: Value) -> TrialConfig:
        given = {**costliest, "backbone": backbone, "batch_size": batch_size}
        return stored.config(space.mode_with(given))

    backbones, batches = (_options(stored, name) for name in ("backbone", "batch_size"))
    return [
        (config(backbone, batch_size), likely * as_likely)
        for (backbone, likely), (batch_size, as_likely) in product(backbones, batches)
    ]


def planned_epochs(stored: StoredStudy) -> float:
    """Return the epochs of a mean trial: the middle of the range."""
    return fmean(_int(value) for value, _ in _options(stored, "epochs"))


def _check_backbone(stored: StoredStudy) -> None:
    study = stored.study
    if stored.found.own:
        raise StudyError(
            f"{study.name}: the cost of code of one's own is not measured beforehand",
            "run it; `search status` shows the time that is left once a trial has ended",
        )
    if "backbone" not in (catalog.describe(stored.objective).fields or {}):
        raise StudyError(
            f"{study.name}: {study.objective} has no backbone whose cost could be measured",
            "plan a study of image_classifier",
        )


def _options(stored: StoredStudy, name: str) -> list[tuple[Value, float]]:
    """Return the corners of a parameter, each with its share of the trials."""
    param = stored.study.space.get(name)
    if param is None:
        return [(stored.settled[name], 1.0)]
    weights = param.weights if isinstance(param, Choice) else (1.0,) * len(param.corners())
    whole = sum(weights)
    return [(value, weight / whole) for value, weight in zip(param.corners(), weights, strict=True)]


def _epoch_seconds(prepared: Prepared, config: TrialConfig, cost: Cost) -> float:
    """Add up the steps over all training images and the forward passes of validation."""
    images = {split: sum(counts.values()) for split, counts in prepared.summary.counts.items()}
    limits = {"train": "max_train_samples", "val": "max_val_samples"}
    train, val = (
        min(images[split], _int(config[limit]) or images[split]) for split, limit in limits.items()
    )
    batch = min(_int(config["batch_size"]), train)
    return (train + FORWARD_SHARE * val) * cost.step_seconds / batch


def _int(value: Value) -> int:
    assert isinstance(value, int)  # the rules refuse any other value
    return value
