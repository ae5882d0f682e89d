"""From a number to its place in a drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboards.marks.ticks import Tick, log_ticks, round_ticks

EDGE = 4000.0  # beyond it a line needs no exact place


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The places of numbers along one side of a drawing, evenly or by their logarithms.

    low, high: the numbers at the two ends; above 0 on a logarithmic scale.
    begin, end: the places of these two: percent across, or pixels from the top.
    """

    low: float
    high: float
    begin: float = 0.0
    end: float = 100.0
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a number; one outside the ends lies outside the drawing."""
        low, high = self._even(self.low), self._even(self.high)
        share = (self._even(value) - low) / (high - low) if high != low else 0.5
        return self.begin + share * (self.end - self.begin)

    def near(self, value: float) -> float:
        """Return the place of a number; one far outside lies no further than a drawing can have."""
        return min(max(self(value), -EDGE), EDGE)

    def held(self, value: float) -> float:
        """Return the place of a number, at the nearer end for one outside."""
        return self(min(max(value, self.low), self.high))

    def ticks(self, most: int = 6) -> list[Tick]:
        """Return round numbers on this scale."""
        return (log_ticks if self.is_log else round_ticks)(self.low, self.high, most)

    def padded(self, share: float) -> "Scale":
        """Return this scale with room at both ends, a share of its length each."""
        low, high = self._even(self.low), self._even(self.high)
        room = share * (high - low) or abs(low) * share or share
        low, high = low - room, high + room
        if self.is_log:
            low, high = math.exp(low), math.exp(high)
        return replace(self, low=low, high=high)

    def _even(self, value: float) -> float:
        if not self.is_log:
            return value
        return math.log(value) if value > 0 else -math.inf


def spread(places: Sequence[float], gap: float, begin: float, end: float) -> list[float]:
    """Move labels apart, so that none covers another: at least `gap` between two, in their order.

    They stay between `begin` and `end` where there is room for all.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    gap = min(gap, (end - begin) / max(1, len(places) - 1))
    moved = [0.0] * len(places)
    least = begin
    for index in order:
        moved[index] = max(least, places[index])
        least = moved[index] + gap
    most = end
    for index in reversed(order):
        moved[index] = min(most, moved[index])
        most = moved[index] - gap
    return moved
