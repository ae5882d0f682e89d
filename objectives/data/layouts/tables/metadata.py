"""The metadata of each row, and what makes a column hard to learn from (C13)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from objectives.data.alike import alike, as_read, merged, spelled
from objectives.data.layouts.listing import Column
from objectives.data.layouts.tables.cell_rules import (
    Cells,
    number_problems,
    report_cells,
    word_problems,
)
from objectives.data.layouts.tables.cells import number, numbers
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem

FAR = 1e6  # times the distance between a column's quartiles, from its median: a slip, or a code
# Numbers that stand for a missing value in the tables of SPSS, registries and sensors.
SENTINELS = {*(-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0), *(99.0, 999.0, 9999.0, 99999.0)}
ALONE = 3.0  # times the next largest number: so far a code of nines stands from the values


def columns_of_metadata(layout: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of metadata by name: a mapping loses its order in a database."""
    return tuple(Column(*each) for each in sorted((layout.get("metadata") or {}).items()))


def read_metadata(sheet: Sheet, layout: Mapping[str, Any]) -> list[tuple[float | str | None, ...]]:
    """Read the values of each row, in the order of the columns by name."""
    columns = columns_of_metadata(layout)
    cells = [_values(sheet, each, bool(layout.get("merge_alike"))) for each in columns]
    return list(zip(*cells, strict=True)) if cells else [()] * len(sheet.splits)


def _values(sheet: Sheet, column: Column, merges: bool) -> Sequence[float | str | None]:
    texts = [text.strip() for text in sheet.answers(column.name)]
    if column.kind == "number":
        codes = {number(word) for word in sheet.missing.declared or ()} - {None}
        return [None if value in codes else value for value in numbers(texts)]
    return [text or None for text in (merge(texts) if merges else texts)]


def merge(names: Sequence[str]) -> list[str]:
    """Return the names with those that read alike as one; an empty one stays empty."""
    known = [name for name in names if name]
    one_of = dict(zip(known, merged(known), strict=True))
    return [one_of.get(name, "") for name in names]


def metadata_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find cells that are not what they seem, and columns without a value."""
    merges = bool(layout.get("merge_alike"))
    for column in columns_of_metadata(layout):
        cells = sheet.cells(column.name)
        values = _values(sheet, column, merges)
        if column.kind == "number":
            yield from number_problems(cells, sheet.missing)
            yield from _far(cells, values)
            if sheet.missing.declared is None:
                yield from _sentinels(cells, values)
        else:
            yield from word_problems(cells, sheet.missing)
            yield from alike_problems(column.name, (str(each) for each in values if each))
        if not any(text.strip() for text in sheet.answers(column.name)):
            yield _of_no_value(column.name)


def alike_problems(column: str, names: Iterable[str]) -> Iterator[Problem]:
    """Tell of the names in a column that read alike, and of a letter that another begins with."""
    known = dict.fromkeys(names)
    for each in (*alike(known), *_initials(known)):
        yield Problem(
            rule="C13",
            level="warn",
            message=(
                f"column {column!r}: {' and '.join(map(spelled, each))} may be one, and are told "
                "apart; spell them alike, or say merge_alike=True where they read alike"
            ),
        )


def _initials(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the single letters with the only other name that begins with each: M and male."""
    words = {as_read(name): name for name in names}
    pairs = []
    for letter in (word for word in words if len(word) == 1 and word.isalpha()):
        others = [word for word in words if word != letter and word.startswith(letter)]
        if len(others) == 1:
            pairs.append((words[letter], words[others[0]]))
    return pairs


def _far(cells: Cells, values: Sequence[float | str | None]) -> Iterator[Problem]:
    read = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if np.isnan(read).all():
        return
    # Halves, since the difference of two numbers may be larger than any number.
    low, median, high = np.nanquantile(read, (0.25, 0.5, 0.75)) / 2
    if spread := high - low:
        with np.errstate(over="ignore"):
            is_far = np.abs(read / 2 - median) > FAR * spread
        yield from report_cells(
            cells,
            np.flatnonzero(is_far).tolist(),
            "numbers so far from the others that those are all one beside them; correct them, or "
            "empty the cells",
        )


def _sentinels(cells: Cells, values: Sequence[float | str | None]) -> Iterator[Problem]:
    places: defaultdict[float, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        if isinstance(value, float):
            places[value].append(at)
    for code in sorted(SENTINELS & {*places}):
        if len(places[code]) > 1 and _stands_alone(code, {*places} - {code}):
            yield from report_cells(
                cells,
                places[code],
                f"read as numbers, and look like missing values; say missing=('{code:g}',) in the "
                "study, or missing=() if they are numbers",
                "warn",
            )


def _stands_alone(code: float, others: set[float]) -> bool:
    """Whether a code is the only negative number of its column, or far above all others."""
    if not others:
        return False
    return min(others) >= 0 if code < 0 else ALONE * max(others) < code


def _of_no_value(column: str) -> Problem:
    return Problem(
        rule="C13",
        level="warn",
        message=(
            f"column {column!r}: no cell holds a value, so nothing can be learned from it; correct "
            "it, or leave it out of the study's metadata"
        ),
    )
