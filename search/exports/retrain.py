"""An exported trial, trained again; with --verify, held against its recorded numbers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path
from statistics import fmean
from types import UnionType
from typing import Any

import yaml

from objectives import catalog
from objectives.contract import MICRO_BATCH, Attempt, DataSource, EpochResult
from search.exports.trial import EXPORT_FORMAT
from search.processes.machine import device_class, versions
from search.studies.splits import unpack, write_partition
from spaces.errors import StudyError
from storage.rows import Outcome

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
    "value.value": float | int | None,
    "metrics.last_epoch.epoch": int,
    "trained_on.threads": int,
    "trained_on.device_class": str,
    "trained_on.versions": dict,
}
_NEEDED_OF_ONE = {"value.epoch": int, "metrics.value_epoch.epoch": int}
_NEEDED_OF_FOLDS = {"value.epochs": list, "metrics.value_epochs": list}
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """A recorded number that did not come back; `again` is None when an epoch of it never came.

    epochs: the one it is of; of each fold one, where it is their mean.
    """

    epochs: tuple[int, ...]
    metric: str
    recorded: float
    again: float | None

    @property
    def where(self) -> str:
        """What it is of, as `epoch 4` or `the mean of epochs 3, 8`."""
        return _where(self.epochs)


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
    folder.mkdir(parents=True, exist_ok=True)
    as_declared = DataSource(
        declared["layout"],
        data,
        declared["split_seed"],
        declared.get("folds", 0),  # exports of before have none of these
        declared.get("has_test", True),
    )
    partition_for = _recorded_partition(declared.get("splits"), folder)
    source = catalog.list_data(objective, as_declared, partition_for=partition_for)
    manifest = source.manifest
    if not manifest.is_of(declared["fingerprint"]):
        raise StudyError(
            f"the data in {data} is not what trial {exported['trial']} was trained on"
            f" ({manifest.fingerprint[:12]}, not {declared['fingerprint'][:12]}); give that folder"
            " with --data"
        )
    _check_weights(exported)
    attempt = Attempt(
        folder=folder,
        data=source,
        seed=exported["seed"],
        device=device,
        threads=exported["trained_on"]["threads"],
    )
    results = catalog.load(objective)(_config(exported), attempt)
    is_whole = exported["outcome"] == Outcome.FINISHED
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
        Difference(epochs, metric, value, _mean(again, epochs, metric))
        for epochs, metric, value in _recorded(exported)
    )
    return [
        each
        for each in found
        if not (_is_same(each) or (not exactly and _is_near(each, known[each.metric])))
    ]


def _recorded_partition(
    splits: Mapping[str, Any] | None, folder: Path
) -> Callable[[Sequence[str]], Path] | None:
    """Return the function that writes the recorded splits, whatever would be carved here."""
    if splits is None:
        return None
    return lambda paths: write_partition(folder / "splits.csv", unpack(splits, paths))


def _config(exported: Mapping[str, Any]) -> dict[str, Any]:
    """Give the configuration, with the parts that its memory made of a batch: BatchNorm saw them.

    Memory that ran out in mid-training leaves two sizes, of which the last is taken.
    """
    at_once = exported["metrics"]["last_epoch"].get(MICRO_BATCH)
    return {**exported["config"], **({MICRO_BATCH: int(at_once)} if at_once else {})}


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
    has_folds = reduce(_inside, ("data", "folds"), exported) not in (0, _ABSENT)
    needed = _NEEDED_OF_FOLDS if has_folds else _NEEDED_OF_ONE
    for place, kind in {**needed, **_NEEDED}.items():
        if not isinstance(reduce(_inside, place.split("."), exported), kind):
            yield place
    of_folds = exported["metrics"].get("value_epochs", ())
    if exported["value"].get("epochs", []) != [_inside(each, "epoch") for each in of_folds]:
        yield "value.epochs"
    weights = exported.get("weights", {})  # exports of before have none
    if not isinstance(weights, dict) or not isinstance(weights.get("sha256", ""), str):
        yield "weights"
    known = catalog.describe(exported["objective"]).metrics
    for epochs, metric, value in _recorded(exported):
        if metric not in known or not isinstance(value, float | int):
            yield f"{metric} of {_where(epochs)}"


def _inside(mapping: Any, key: str) -> Any:
    return mapping.get(key, _ABSENT) if isinstance(mapping, dict) else _ABSENT


def _recorded(exported: Mapping[str, Any]) -> Iterator[tuple[tuple[int, ...], str, float]]:
    """Yield each recorded number with its metric and its epoch; the value is a mean over folds."""
    value, metrics = exported["value"], exported["metrics"]
    if value["value"] is not None:
        yield tuple(value.get("epochs") or (value["epoch"],)), value["metric"], value["value"]
    of_value = metrics.get("value_epochs") or (metrics["value_epoch"],)
    for numbers in (*of_value, metrics["last_epoch"]):
        for metric, recorded in numbers.items():
            if metric != "epoch":
                yield (numbers["epoch"],), metric, recorded


def _mean(
    again: Mapping[int, Mapping[str, float]], epochs: Sequence[int], metric: str
) -> float | None:
    found = [again[epoch][metric] for epoch in epochs if metric in again.get(epoch, {})]
    return fmean(found) if len(found) == len(epochs) else None


def _where(epochs: Sequence[int]) -> str:
    numbers = ", ".join(map(str, epochs))
    return f"epoch {numbers}" if len(epochs) == 1 else f"the mean of epochs {numbers}"


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
