"""A trial's curve, which a pruning rule judges."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from spaces.study import Study


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The study's metric by epoch, and the schedule that the trial runs through.

    values: the metric by epoch, counted from 1.
    epochs: the length of the schedule.
    settled_epoch: the last epoch of warm-up and unfreezing.
    kin: the trials whose curves have its shape.
    judged_epoch: the last epoch at which it was judged.
    """

    values: Mapping[int, float]
    epochs: int
    settled_epoch: int = 0
    kin: str = ""
    judged_epoch: int = 0

    @property
    def last_epoch(self) -> int:
        """The last epoch so far; 0 before the first."""
        return max(self.values, default=0)

    def value_at(self, epoch: int, study: Study) -> float:
        """Return the value that a trial would have if it ended here, NaN for none.

        The best one until then, or in a study whose trials are worth their last epoch this one.
        """
        if study.value == "last":
            return self.values.get(epoch, math.nan)
        return self.best_until(epoch / self.epochs, study.direction)

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
