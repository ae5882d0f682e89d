"""Families of learning curves on which pruning rules differ, and the real ones of the table.

Rank correlation of the best value at 1/4, 1/2 and 3/4 of the schedule with that at its end, as
measured by `tests/benchmarks/test_search_quality.py`; it is what makes a family easy or hard.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

EPOCHS = 20
# A training loss that has not begun to fall, and how fast it falls, by the learning rate's place.
START, SLOWEST, FASTER = 0.9, 6.0, 6.0
BEST_RATE, BY_RATE, BY_OTHERS = 0.6, 0.8, 0.25  # the loss at the end
BY_LENGTH = 0.5  # how much worse short schedules end: this share of 1 / epochs - 1 / 20
LATE_UNTIL, LDAM_LATE, LDAM_AT_END = 0.8, 0.15, -0.05
ALONG = 0.6  # correlation of the noise of neighbouring epochs


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial as a pruning rule meets it.

    values: measured after each epoch of the schedule; the smaller, the better.
    truth: the best value of the curve without noise.
    kin: what changes the shape of its curve.
    """

    values: tuple[float, ...]
    truth: float
    kin: str = ""

    @property
    def epochs(self) -> int:
        """The length of the schedule."""
        return len(self.values)


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the curves of a family have in common.

    hidden: how much worse the highest learning rate looks until the cosine has fallen.
    late: whether half of the trials, those with LDAM, look worse until 80 % of the schedule.
    shortest: the shortest schedule; the longest has 20 epochs.
    noise: the standard deviation of an epoch's value.
    """

    hidden: float = 0.0
    late: bool = False
    shortest: int = EPOCHS
    noise: float = 0.005

    @property
    def longest(self) -> int:
        """The length of the longest schedule."""
        return EPOCHS

    def draw(self, random: Random) -> Trial:
        """Draw a configuration and compute its curve."""
        rate, others, overfits = random.random(), random.random(), random.uniform(0, 0.1)
        epochs, is_ldam = random.randint(self.shortest, EPOCHS), random.random() < 0.5
        end = 0.3 + BY_RATE * (rate - BEST_RATE) ** 2 + BY_OTHERS * others
        end += BY_LENGTH * (1 / epochs - 1 / EPOCHS) + LDAM_AT_END * (self.late and is_ldam)
        noise, values, smooth = 0.0, [], []
        for epoch in range(1, epochs + 1):
            share = epoch / epochs
            value = end + START * math.exp(-(SLOWEST + FASTER * rate) * share)
            value += self.hidden * rate * (1 + math.cos(math.pi * share)) / 2
            value += LDAM_LATE * (self.late and is_ldam and share < LATE_UNTIL)
            value += overfits * max(0.0, share - 0.7)
            noise = ALONG * noise + math.sqrt(1 - ALONG**2) * random.gauss(0, self.noise)
            smooth.append(value)
            values.append(value + noise)
        kin = "ldam" if self.late and is_ldam else ""
        return Trial(values=tuple(values), truth=min(smooth), kin=kin)


FAMILIES: Mapping[str, Family] = {
    "cosine": Family(hidden=0.62),
    "epochs": Family(hidden=0.58, shortest=5),
    "late": Family(hidden=0.62, late=True),
    "constant": Family(),
    "noisy": Family(hidden=0.55, noise=0.04),
}
