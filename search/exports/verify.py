"""Compare the numbers of a trial that was trained again with the recorded ones."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from objectives import catalog
from search.exports.exported import Exported
from search.processes.machine import device_class, versions

# Other hardware rounds differently, and training amplifies the difference up to these tolerances.
# Relative for a number of any size, as a loss; absolute for a fraction, which may be near 0. A loss
# of less than 0.1 nats may differ as much as one of 0.1: 1e-6 and 3e-6 are the same training.
TOLERANCE = 0.05
SMALL_LOSS = 0.1
NEAR = "losses within 5 % or 0.005, fractions within 0.05"
DECIDES_BITS = ("device_class", "torch", "torchvision", "numpy")

Metrics = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A recorded number that did not come back."""

    epochs: tuple[int, ...]  # several where the number is a mean over folds
    metric: str
    recorded: float
    again: float | None  # None where one of the epochs was not trained again

    @property
    def where(self) -> str:
        """The epochs in words, as `epoch 4` or `the mean of epochs 3, 8`."""
        numbers = ", ".join(map(str, self.epochs))
        return f"epoch {numbers}" if len(self.epochs) == 1 else f"the mean of epochs {numbers}"


def why_inexact(exported: Exported, device: str) -> str | None:
    """Say why the numbers need not come back to the last bit; None where they must."""
    if not catalog.describe(exported.objective_key).deterministic:
        return "the study's own code does not promise the same bits"
    changed = _changed(exported, device)
    return f"this machine differs from the recorded one ({changed})" if changed else None


def compare(exported: Exported, again: Mapping[int, Metrics], exactly: bool) -> list[Difference]:
    """Find the recorded numbers that did not come back.

    again: the metrics of the trial trained again, by epoch.
    exactly: True compares to the last bit, False with the tolerances that NEAR names.
    """
    known = catalog.describe(exported.objective_key).metrics
    pairs = (
        Difference(epochs=epochs, metric=metric, recorded=value, again=_mean(again, epochs, metric))
        for epochs, metric, value in _recorded(exported)
    )
    return [
        pair
        for pair in pairs
        if not (_is_same(pair) or (not exactly and _is_near(pair, known.get(pair.metric, {}))))
    ]


def _changed(exported: Exported, device: str) -> str:
    recorded = exported.trained_on
    here = {"device_class": device_class(device), **versions()}
    there = {"device_class": recorded.device_class, **recorded.versions}
    changed = [
        f"{name}: {there.get(name, 'absent')} -> {here.get(name, 'absent')}"
        for name in DECIDES_BITS
        if there.get(name) != here.get(name)
    ]
    threads = set(exported.threads_of_attempts) - {recorded.threads}
    if threads:
        changed.append(f"some epochs were trained with {sorted(threads)} threads")
    return "; ".join(changed)


def _recorded(exported: Exported) -> Iterator[tuple[tuple[int, ...], str, float]]:
    """Yield each recorded number with its epochs and its metric; the value is a mean over folds."""
    value = exported.value
    if value.value is not None:
        yield tuple(each.epoch for each in exported.value_epochs), value.metric, value.value
    for each in (*exported.value_epochs, exported.last_epoch):
        for metric, recorded in each.metrics.items():
            yield (each.epoch,), metric, recorded


def _mean(again: Mapping[int, Metrics], epochs: Sequence[int], metric: str) -> float | None:
    found = [again[epoch][metric] for epoch in epochs if metric in again.get(epoch, {})]
    return fmean(found) if len(found) == len(epochs) else None


def _is_same(pair: Difference) -> bool:
    if pair.again is None:
        return False
    return pair.recorded == pair.again or (math.isnan(pair.recorded) and math.isnan(pair.again))


def _is_near(pair: Difference, metric: Mapping[str, Any]) -> bool:
    if pair.again is None:
        return False
    if metric.get("high") is not None:
        return abs(pair.recorded - pair.again) <= TOLERANCE
    return math.isclose(
        pair.recorded,
        pair.again,
        rel_tol=TOLERANCE,
        abs_tol=TOLERANCE * SMALL_LOSS,
    )
