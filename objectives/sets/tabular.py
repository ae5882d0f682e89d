"""The table beside the images as numbers, by what its training rows alone say."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.layouts.listing import Column

Value = float | str | None
Table = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: standardised, a missing one the mean, and told by a column of its own.

    has_gaps: whether a training row misses it; without one there is nothing to learn from a gap.
    """

    name: str
    mean: float
    deviation: float
    has_gaps: bool

    @property
    def names(self) -> list[str]:
        """What the encoded columns are called."""
        return [self.name, *([f"{self.name} is missing"] if self.has_gaps else [])]

    def encode(self, values: Sequence[Value]) -> list[Table]:
        """Give the encoded columns, each (n,)."""
        numbers = _numbers(values)
        gaps = np.isnan(numbers)
        scaled = np.where(gaps, 0.0, (numbers - self.mean) / self.deviation)
        return [each.astype(np.float32) for each in (scaled, *([gaps] if self.has_gaps else []))]


@dataclass(frozen=True)
class Categories:
    """A column of names: one column for each that training rows have, a last one for all else."""

    name: str
    known: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """What the encoded columns are called."""
        return [*(f"{self.name} is {each}" for each in self.known), f"{self.name} is another"]

    def encode(self, values: Sequence[Value]) -> list[Table]:
        """Give the encoded columns, each (n,)."""
        own: dict[Value, int] = {name: place for place, name in enumerate(self.known)}
        places = np.array([own.get(value, len(own)) for value in values], dtype=np.int64)
        return list(np.eye(len(own) + 1, dtype=np.float32)[places].T)


@dataclass(frozen=True)
class Encoding:
    """How the metadata of a row becomes numbers, column by column, in the order of the table."""

    columns: tuple[Numbers | Categories, ...]

    @property
    def names(self) -> list[str]:
        """What the encoded columns are called, in their order."""
        return [name for column in self.columns for name in column.names]

    def encode(self, rows: Sequence[Sequence[Value]]) -> Table:
        """Give (n, F) float32 of n rows of metadata, which have the columns that were fitted."""
        values = zip(*rows, strict=True)
        encoded = [
            each
            for column, own in zip(self.columns, values, strict=True)
            for each in column.encode(own)
        ]
        return np.stack(encoded, axis=1)

    def as_mapping(self) -> dict[str, Any]:
        """Give it in plain words and numbers, as it is kept beside the weights."""
        return {"names": self.names, "columns": [asdict(column) for column in self.columns]}


def fit_encoding(columns: Sequence[Column], training: Sequence[Sequence[Value]]) -> Encoding:
    """Give the encoding that the metadata of the training rows asks for."""
    values = zip(*training, strict=True)
    fitted = (_fit(column, own) for column, own in zip(columns, values, strict=True))
    return Encoding(tuple(fitted))


def _fit(column: Column, values: Sequence[Value]) -> Numbers | Categories:
    if column.kind == "category":
        return Categories(column.name, tuple(sorted({str(v) for v in values if v is not None})))
    numbers = _numbers(values)
    gaps = np.isnan(numbers)
    known = numbers[~gaps] if not gaps.all() else np.zeros(1)
    # A column that is the same everywhere has no deviation to be divided by, rounded up from 0 as
    # it may be: that of three times .1 is 1e-17, and another value would be read as 1e16.
    deviation = float(known.std()) if known.min() < known.max() else 1.0
    return Numbers(column.name, float(known.mean()), deviation, bool(gaps.any()))


def _numbers(values: Iterable[Value]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value) for value in values])
