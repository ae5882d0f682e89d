"""An exported trial, trained again; with --verify, held against its recorded numbers."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from search.export import EXPORT_FORMAT
from search.machine import device_class, versions
from spaces.errors import StudyError

# Other hardware rounds differently, and training amplifies it: this is what one may still expect.
OTHER_DEVICE_TOLERANCE = 0.05


@dataclass(frozen=True)
class Difference:
    """A recorded number that did not come back."""

    epoch: int
    metric: str
    recorded: float
    again: float


def read_export(path: Path) -> dict[str, Any]:
    """Read an exported trial; raises StudyError when the file is none."""
    try:
        exported = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise StudyError(f"{path} does not exist; write it with `search export`") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{path} is no YAML ({reason}); export the trial again") from error
    if not isinstance(exported, dict) or exported.get("format") != EXPORT_FORMAT:
        raise StudyError(f"{path} is no exported trial; write one with `search export`")
    return exported


def retrain(
    exported: Mapping[str, Any], folder: Path, data: Path | None, device: str
) -> Iterator[EpochResult]:
    """Train an exported trial again with its recorded seed and threads; yields each epoch.

    folder: where weights and checkpoints go. Raises StudyError when the data is another.
    """
    declared = exported["data"]
    source = DataSource(declared["layout"], data, declared["split_seed"])
    found = catalog.read_data(exported["objective"], source).fingerprint
    if found != declared["fingerprint"]:
        raise StudyError(
            f"the data in {data} is not what trial {exported['trial']} was trained on"
            f" ({found[:12]}, not {declared['fingerprint'][:12]}); give that folder with --data"
        )
    folder.mkdir(parents=True, exist_ok=True)
    attempt = Attempt(
        folder=folder,
        data=source,
        seed=exported["seed"],
        device=device,
        threads=exported["trained_on"]["threads"],
    )
    return catalog.load(exported["objective"])(exported["config"], attempt)


def last_recorded_epoch(exported: Mapping[str, Any]) -> int:
    """Give the epoch after which nothing was recorded: a pruned trial stops there again."""
    epoch: int = exported["metrics"]["last_epoch"]["epoch"]
    return epoch


def other_machine(exported: Mapping[str, Any], device: str) -> str | None:
    """Say how this machine differs from the recorded one, or None when bits must come back."""
    recorded = exported["trained_on"]
    here = {"device_class": device_class(device), **versions()}
    there = {"device_class": recorded["device_class"], **recorded["versions"]}
    changed = [
        f"{name}: {there[name]} -> {here.get(name, 'absent')}"
        for name in ("device_class", "torch", "torchvision", "numpy")
        if there.get(name) != here.get(name)
    ]
    return "; ".join(changed) or None


def compare(
    exported: Mapping[str, Any], again: Mapping[int, Mapping[str, float]], exactly: bool
) -> list[Difference]:
    """Give the recorded numbers that did not come back: to the last bit, or within 5 percent."""
    is_same = _is_same if exactly else _is_close
    return [
        Difference(epoch, metric, value, again[epoch][metric])
        for epoch, metric, value in _recorded(exported)
        if not is_same(value, again[epoch][metric])
    ]


def _recorded(exported: Mapping[str, Any]) -> Iterator[tuple[int, str, float]]:
    value = exported["value"]
    if value["value"] is not None:
        yield value["epoch"], value["metric"], value["value"]
    for numbers in exported["metrics"].values():
        for metric, recorded in numbers.items():
            if metric != "epoch":
                yield numbers["epoch"], metric, recorded


def _is_same(recorded: float, again: float) -> bool:
    return recorded == again or (math.isnan(recorded) and math.isnan(again))


def _is_close(recorded: float, again: float) -> bool:
    near: Callable[..., bool] = math.isclose
    return near(recorded, again, rel_tol=OTHER_DEVICE_TOLERANCE, abs_tol=OTHER_DEVICE_TOLERANCE)
