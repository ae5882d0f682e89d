"""The table beside the images as numbers, encoded by its training rows alone."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.data.layouts.listing import Column

FARTHEST = 1000.0  # deviations: no network learns from a larger number, and some diverge

Value = float | str | None
Table = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A column of numbers, standardised; a missing one becomes the mean.

    A second column marks missing values, if training rows have any. A value farther than `FARTHEST`
    from the mean counts as that far: the training rows of a column may all but agree.
    """

    name: str
    mean: float
    deviation: float
    has_gaps: bool  # whether a training row misses a value

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns."""
        return [self.name, *([f"{self.name} is missing"] if self.has_gaps else [])]

    def encode(self, values: Sequence[Value]) -> list[Table]:
        """Encode the values of n rows as columns, each (n,)."""
        numbers = _numbers(values)
        gaps = np.isnan(numbers)
        with np.errstate(over="ignore"):
            scaled = ((numbers - self.mean) / self.deviation).clip(-FARTHEST, FARTHEST)
        scaled = np.where(gaps, 0.0, scaled)
        return [each.astype(np.float32) for each in (scaled, *([gaps] if self.has_gaps else []))]


@dataclass(frozen=True)
class Categories:
    """A column of names: one column for each name in training rows, a last one for all others."""

    name: str
    known: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns."""
        return [*(f"{self.name} is {each}" for each in self.known), f"{self.name} is another"]

    def encode(self, values: Sequence[Value]) -> list[Table]:
        """Encode the values of n rows as columns, each (n,)."""
        own: dict[Value, int] = {name: column for column, name in enumerate(self.known)}
        columns = np.array([own.get(value, len(own)) for value in values], dtype=np.int64)
        return list(np.eye(len(own) + 1, dtype=np.float32)[columns].T)


@dataclass(frozen=True)
class Encoding:
    """How the metadata of a row becomes numbers, column by column, in the order of the table."""

    columns: tuple[Numbers | Categories, ...]

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns, in their order."""
        return [name for column in self.columns for name in column.names]

    def encode(self, rows: Sequence[Sequence[Value]]) -> Table:
        """Encode n rows of metadata, with the columns that were fitted, as (n, F) float32."""
        values = zip(*rows, strict=True)
        encoded = [
            each
            for column, own in zip(self.columns, values, strict=True)
            for each in column.encode(own)
        ]
        return np.stack(encoded, axis=1)

    def as_mapping(self) -> dict[str, Any]:
        """Return the encoding as plain words and numbers, to be kept beside the weights."""
        return {"names": self.names, "columns": [asdict(column) for column in self.columns]}


def fit_encoding(columns: Sequence[Column], training: Sequence[Sequence[Value]]) -> Encoding:
    """Fit the encoding of each column to the metadata of the training rows."""
    values = zip(*training, strict=True)
    fitted = (_fit(column, own) for column, own in zip(columns, values, strict=True))
    return Encoding(tuple(fitted))


def _fit(column: Column, values: Sequence[Value]) -> Numbers | Categories:
    if column.kind == "category":
        return Categories(column.name, tuple(sorted({str(v) for v in values if v is not None})))
    numbers = _numbers(values)
    gaps = np.isnan(numbers)
    known = numbers[~gaps] if not gaps.all() else np.zeros(1)
    # The deviation of a constant column is 0, or a rounding error above it: three times .1 has
    # 1e-17. That of numbers such as 1e-200 is 0, too, since their squares are.
    deviation = (float(known.std()) if known.min() < known.max() else 0.0) or 1.0
    return Numbers(
        name=column.name,
        mean=float(known.mean()),
        deviation=deviation,
        has_gaps=bool(gaps.any()),
    )


def _numbers(values: Iterable[Value]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value) for value in values])
