"""A trial's curve, which a pruning rule judges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """The study's metric by epoch, and the schedule that the trial runs through.

    values: the metric by epoch, counted from 1.
    epochs: the length of the schedule.
    settled_epoch: the last epoch of warm-up and unfreezing.
    """

    values: Mapping[int, float]
    epochs: int
    settled_epoch: int = 0

    def best_until(self, share: float, direction: str) -> float:
        """Find the best value in the first `share` (0..1) of the schedule, NaN if there is none."""
        until = share * self.epochs + 1e-9
        seen = [
            value
            for epoch, value in self.values.items()
            if epoch <= until and not math.isnan(value)
        ]
        if not seen:
            return math.nan
        return min(seen) if direction == "minimize" else max(seen)
