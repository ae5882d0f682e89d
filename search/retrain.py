"""An exported trial, trained again; with --verify, held against its recorded numbers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path
from types import UnionType
from typing import Any

import yaml

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from search.badges import AT_ONCE
from search.export import EXPORT_FORMAT
from search.machine import device_class, versions
from spaces.errors import StudyError

# Other hardware rounds differently, and training amplifies it: this is what one may still expect.
# A share of a loss, whatever its size; of a fraction so much itself, for it may be near 0.
ELSEWHERE_TOLERANCE = 0.05
ELSEWHERE = "losses within 5 %, fractions within 0.05"

# What training again reads, by its place in the file.
_NEEDED: Mapping[str, type | UnionType] = {
    "study": str,
    "trial": int,
    "outcome": str,
    "objective": str,
    "config": dict,
    "seed": int,
    "data.layout.kind": str,
    "data.split_seed": int,
    "data.fingerprint": str,
    "value.metric": str,
    "value.epoch": int,
    "value.value": float | int | None,
    "metrics.value_epoch.epoch": int,
    "metrics.last_epoch.epoch": int,
    "trained_on.threads": int,
    "trained_on.device_class": str,
    "trained_on.versions": dict,
}
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """A recorded number that did not come back; `again` is None when its epoch never came."""

    epoch: int
    metric: str
    recorded: float
    again: float | None


def read_export(path: Path) -> dict[str, Any]:
    """Read an exported trial; raises StudyError when the file is none or lacks something."""
    try:
        exported = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read ({error.strerror}); give a file written by `search export`"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(f"{path} is no YAML ({reason}); export the trial again") from error
    if not isinstance(exported, dict) or exported.get("format") != EXPORT_FORMAT:
        raise StudyError(f"{path} is no exported trial; write one with `search export`")
    for place in _unusable(exported):
        raise StudyError(f"{path} has no usable {place!r}; export the trial again")
    return exported


def retrain(
    exported: Mapping[str, Any], folder: Path, data: Path | None, device: str
) -> Iterator[EpochResult]:
    """Train an exported trial again with its recorded seed and threads; yields each epoch.

    A trial that did not finish stops where it stopped; a finished one leaves its weights.
    folder: where weights and checkpoints go. Raises StudyError when the data is another, or the
    weights that it started from are.
    """
    objective, declared = exported["objective"], exported["data"]
    source = DataSource(
        declared["layout"],
        data,
        declared["split_seed"],
        declared.get("folds", 0),  # exports of before have neither
        declared.get("has_test", True),
    )
    found = catalog.read_data(objective, source).fingerprint
    if found != declared["fingerprint"]:
        raise StudyError(
            f"the data in {data} is not what trial {exported['trial']} was trained on"
            f" ({found[:12]}, not {declared['fingerprint'][:12]}); give that folder with --data"
        )
    _check_weights(exported)
    folder.mkdir(parents=True, exist_ok=True)
    attempt = Attempt(
        folder=folder,
        data=source,
        seed=exported["seed"],
        device=device,
        threads=exported["trained_on"]["threads"],
    )
    results = catalog.load(objective)(_config(exported), attempt)
    is_whole = exported["outcome"] == "finished"
    return results if is_whole else islice(results, last_recorded_epoch(exported))


def last_recorded_epoch(exported: Mapping[str, Any]) -> int:
    """Give the epoch after which nothing was recorded."""
    epoch: int = exported["metrics"]["last_epoch"]["epoch"]
    return epoch


def other_machine(exported: Mapping[str, Any], device: str) -> str | None:
    """Say how this machine differs from the recorded one, or None when bits must come back."""
    recorded = exported["trained_on"]
    here = {"device_class": device_class(device), **versions()}
    there = {"device_class": recorded["device_class"], **recorded["versions"]}
    changed = [
        f"{name}: {there.get(name, 'absent')} -> {here.get(name, 'absent')}"
        for name in ("device_class", "torch", "torchvision", "numpy")
        if there.get(name) != here.get(name)
    ]
    threads = set(exported.get("threads_of_attempts", ())) - {recorded["threads"]}
    if threads:
        changed.append(f"some epochs were trained with {sorted(threads)} threads")
    return "; ".join(changed) or None


def compare(
    exported: Mapping[str, Any], again: Mapping[int, Mapping[str, float]], exactly: bool
) -> list[Difference]:
    """Give the recorded numbers that did not come back: to the last bit, or as ELSEWHERE says."""
    known = catalog.describe(exported["objective"]).metrics
    found = (
        Difference(epoch, metric, value, again.get(epoch, {}).get(metric))
        for epoch, metric, value in _recorded(exported)
    )
    return [
        each
        for each in found
        if not (_is_same(each) or (not exactly and _is_near(each, known[each.metric])))
    ]


def _config(exported: Mapping[str, Any]) -> dict[str, Any]:
    """Give the configuration, with the parts that its memory made of a batch: BatchNorm saw them.

    Memory that ran out in mid-training leaves two sizes, of which the last is taken.
    """
    at_once = exported["metrics"]["last_epoch"].get(AT_ONCE)
    return {**exported["config"], **({AT_ONCE: int(at_once)} if at_once else {})}


def _check_weights(exported: Mapping[str, Any]) -> None:
    config, recorded = exported["config"], exported.get("weights", {})
    here = catalog.preflight(exported["objective"], [config])
    found = here.get(catalog.weights_key(config), {}).get("sha256", "none")
    if recorded and recorded.get("sha256") != found:
        raise StudyError(
            f"the {config.get('weights')} weights of {config.get('backbone')} are here another file"
            f" than the {recorded.get('file')} that trial {exported['trial']} started from"
            f" ({found[:12]}); bring that one here and set weights to its path"
        )


def _unusable(exported: Mapping[str, Any]) -> Iterator[str]:
    """Name what is missing, of another type, or a metric that the objective does not know."""
    for place, kind in _NEEDED.items():
        if not isinstance(reduce(_inside, place.split("."), exported), kind):
            yield place
    weights = exported.get("weights", {})  # exports of before have none
    if not isinstance(weights, dict) or not isinstance(weights.get("sha256", ""), str):
        yield "weights"
    known = catalog.describe(exported["objective"]).metrics
    for epoch, metric, value in _recorded(exported):
        if metric not in known or not isinstance(value, float | int):
            yield f"{metric} of epoch {epoch}"


def _inside(mapping: Any, key: str) -> Any:
    return mapping.get(key, _ABSENT) if isinstance(mapping, dict) else _ABSENT


def _recorded(exported: Mapping[str, Any]) -> Iterator[tuple[int, str, float]]:
    value = exported["value"]
    if value["value"] is not None:
        yield value["epoch"], value["metric"], value["value"]
    for when in ("value_epoch", "last_epoch"):
        numbers = exported["metrics"][when]
        for metric, recorded in numbers.items():
            if metric != "epoch":
                yield numbers["epoch"], metric, recorded


def _is_same(each: Difference) -> bool:
    if each.again is None:
        return False
    return each.recorded == each.again or (math.isnan(each.recorded) and math.isnan(each.again))


def _is_near(each: Difference, metric: Mapping[str, Any]) -> bool:
    if each.again is None:
        return False
    if metric["high"] is not None:
        return abs(each.recorded - each.again) <= ELSEWHERE_TOLERANCE
    return math.isclose(each.recorded, each.again, rel_tol=ELSEWHERE_TOLERANCE)
