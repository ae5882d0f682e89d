"""Draws of whole groups with replacement: the same ones for all trials, on every machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

DRAWS = 1000
# With more groups than this, several are drawn together. The width of an interval then varies by
# another 1 / sqrt(2 * 2048) = 1.6 %, beside the 4 % that 1,000 draws leave it anyway.
MOST_DRAWN = 2048
_SEED = 0  # the same for all trials, so that only their networks differ
_BOUNDS = (2.5, 97.5)  # percentiles of the 95 % interval


class Estimate(NamedTuple):
    """A number with its 95 % interval, whose ends are NaN where there are no two groups."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Grouping:
    """The groups of a split's images, or bundles of them, as they are drawn.

    names: of the groups, sorted; with more than MOST_DRAWN, of the bundles of whole groups into
        which they are put at random.
    of_image: (N,), each image's position in the names.
    """

    names: tuple[str, ...]
    of_image: Indices

    @classmethod
    def of(cls, groups: Sequence[str]) -> "Grouping":
        """Build the grouping of images in these groups, one per image."""
        names, of_image = np.unique(np.asarray(groups), return_inverse=True)
        if len(names) <= MOST_DRAWN:
            return cls(tuple(names.tolist()), of_image)
        places = np.random.RandomState(_SEED).permutation(len(names))
        bundles = tuple(f"bundle {number}" for number in range(1, MOST_DRAWN + 1))
        return cls(bundles, (places * MOST_DRAWN // len(names))[of_image])


def draws(count: int) -> Iterator[Indices]:
    """Yield for each draw the number of times (count,) that each of `count` groups is drawn."""
    # RandomState's stream is frozen by numpy's promise (NEP 19): the same draws on every machine.
    random = np.random.RandomState(_SEED)
    for _ in range(DRAWS):
        yield np.bincount(random.randint(count, size=count), minlength=count)


@lru_cache(2)  # a page compares the trials of a study, which have the same groups
def all_draws(count: int) -> Numbers:
    """Return all draws as one read-only array (DRAWS, count); 16 MB for 2,048 groups."""
    times = np.stack([*draws(count)]).astype(np.float64)
    times.flags.writeable = False
    return times


def bounds(drawn: Numbers) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a number by its draws, of which NaN are left out.

    The percentile bootstrap of Efron and Tibshirani 1993, section 13.3.
    """
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, _BOUNDS).tolist() if len(known) else (np.nan, np.nan)
    return low, high
