"""The judgement of a prior, and the trials that it is judged by.

Trials are not drawn at random: the sampler tries more where results were good, and good values of
one hyperparameter come with good ones of others. A ruling says what was seen, not what causes it.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

LEAST_BEST = 3  # a quarter of twelve
RARE = 0.05

Floats = NDArray[np.float64]


class Ruling(StrEnum):
    """The judgement of a prior; the words are shown."""

    HOLDS = "prior holds"
    NARROWED = "narrowed"
    LEADS = "leads"
    UNDECIDED = "undecided"
    WRONG = "prior wrong"


@dataclass(frozen=True)
class Ranked:
    """The finished trials that have a hyperparameter, best first.

    numbers: of the trials.
    values: of the hyperparameter; a choice is the place of its option.
    results: the trials' values, of which lower is better.
    """

    numbers: NDArray[np.int64]
    values: Floats
    results: Floats

    @property
    def count(self) -> int:
        """The number of trials."""
        return len(self.numbers)

    @property
    def best(self) -> int:
        """The number of trials in the best quarter."""
        return max(LEAST_BEST, round(self.count / 4))
