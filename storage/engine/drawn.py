"""The values of one parameter in every trial of a study."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    FloatDistribution,
    IntDistribution,
)

from storage.engine.changes import DrawnValues, Floats
from storage.engine.frozen import external, read_distribution
from storage.engine.growing import Growing

NOT_DRAWN = -1


class Drawn:
    """The values of one parameter by trial number, as Optuna stores them.

    texts: the distributions that they were drawn from, as Optuna stores them; mostly one.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.values = Growing(np.float64, math.nan)
        self.of = Growing(np.int32, NOT_DRAWN)  # the index of the distribution of each trial

    def take(self, drawn: DrawnValues) -> None:
        """Add values of one distribution, or replace them."""
        if drawn.distribution not in self.texts:
            self.texts.append(drawn.distribution)
        for column in (self.values, self.of):
            column.grow(int(drawn.numbers.max()) + 1)
        self.values.array[drawn.numbers] = drawn.values
        self.of.array[drawn.numbers] = self.texts.index(drawn.distribution)

    def distribution(self, number: int) -> BaseDistribution | None:
        """Return the distribution that a trial drew from; None where it has no value."""
        of = self.of.array
        if number >= len(of) or of[number] == NOT_DRAWN:
            return None
        return read_distribution(self.texts[of[number]])

    def value(self, number: int) -> float:
        """Return a trial's value."""
        return float(self.values.array[number])

    def is_drawn(self, count: int) -> NDArray[np.bool_]:
        """Say of each of the first `count` trials whether it has a value."""
        self.of.grow(count)
        drawn: NDArray[np.bool_] = self.of.array[:count] != NOT_DRAWN
        return drawn

    def column(self, distribution: BaseDistribution, count: int) -> Floats:
        """Return the values of the first `count` trials under a distribution; NaN for none.

        A value of another distribution is converted, and NaN where it is not in this one.
        """
        self.values.grow(count)
        self.of.grow(count)
        values: Floats = self.values.array[:count]
        for index, before in self._others(distribution):
            values = np.where(self.of.array[:count] == index, math.nan, values)
            those = np.flatnonzero(self.of.array[:count] == index)
            values[those] = [
                _converted(value, before, distribution) for value in self.values.array[those]
            ]
        return values

    def packed(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a snapshot."""
        return {
            "values": self.values.array,
            "of": self.of.array,
            "texts": np.array(self.texts, dtype=np.str_),
        }

    def unpack(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of a snapshot over."""
        self.values.extend(arrays["values"])
        self.of.extend(arrays["of"])
        self.texts = arrays["texts"].tolist()

    def _others(self, distribution: BaseDistribution) -> Iterator[tuple[int, BaseDistribution]]:
        for index, text in enumerate(self.texts):
            before = read_distribution(text)
            if before != distribution:
                yield index, before


def _converted(value: float, before: BaseDistribution, now: BaseDistribution) -> float:
    try:
        internal = now.to_internal_repr(external(before, value))
    except ValueError:
        return math.nan
    if isinstance(now, FloatDistribution | IntDistribution) and not now.low <= internal <= now.high:
        return math.nan
    return float(internal)
