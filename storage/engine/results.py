"""The numbers of an epoch: as they are stored, and compared when they come a second time."""

import math
from collections.abc import Mapping
from typing import TypedDict

from storage.errors import EpochDiffers

# A metric with this ending is a time: a repeated epoch reports another value. The contract of the
# objectives has the same constant, which storage may not import; a test of the house compares both.
CLOCK_ENDING = "_s"

ONCE = "let the training code report each epoch once"
SAME_MACHINE = "go on with this study on the same data, device class and number of threads"

Plain = Mapping[str, float | str]


class Spent(TypedDict):
    """The cost of an epoch.

    seconds: of training and validation.
    images: how many images were trained on.
    """

    seconds: float
    images: int


def plain_metrics(metrics: Mapping[str, float]) -> dict[str, float | str]:
    """Return metrics as JSON: NaN and the infinities are strings in it, which SQL can cast."""
    return {name: _plain(value) for name, value in metrics.items()}


def decoded(metrics: Plain) -> dict[str, float]:
    """Return stored metrics as numbers, with NaN and the infinities."""
    return {name: float(value) for name, value in metrics.items()}


def check_equal(
    epoch: str, *, before: tuple[float, Plain], now: tuple[float, Plain], is_same_attempt: bool
) -> None:
    """Raise EpochDiffers where an epoch comes with other numbers than are stored.

    epoch: the epoch and its trial, for the message.
    before, now: its value and its plain metrics; times may differ.
    is_same_attempt: whether the attempt that reports it now has recorded it before.
    """
    stored, given = _repeatable(*before), _repeatable(*now)
    for name in stored | given:
        if stored.get(name) != given.get(name):
            raise EpochDiffers(
                f"{epoch} is recorded with {name} {stored.get(name)}, and now it is "
                f"{given.get(name)}",
                ONCE if is_same_attempt else SAME_MACHINE,
            )


def _plain(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(float(value))


def _repeatable(value: float, metrics: Plain) -> dict[str, float | str]:
    kept = {name: number for name, number in metrics.items() if not name.endswith(CLOCK_ENDING)}
    return {**kept, "value": _plain(value)}
