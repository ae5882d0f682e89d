"""Find the cells in a column of numbers that are none, or whose number is not meant (C13)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from objectives.data.layouts.tables.cell_rules import (
    Cells,
    find_cells,
    report_cells,
    word_problems,
)
from objectives.data.layouts.tables.cells import (
    THOUSANDS,
    Missing,
    is_decimal_comma,
    is_too_large,
    may_be_thousands,
    number,
)
from objectives.data.problems import Problem

PERCENTAGE = re.compile(r"[+-]?\d+([.,]\d+)?\s*%")
FAR = 1e6  # times the distance between a column's quartiles, from its median: a slip, or a code
# Numbers that stand for a missing value in tables of SPSS, surveys, registries and sensors.
REPEATED = re.compile(r"-?([789])\1+(\.\1+)?|-([789])(\.\3+)?|-1")
DIGITS = {7.0, 8.0, 9.0}  # so surveys code it among answers of one digit
# As 1234 is written in German, Spanish or Portuguese.
POINTED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
LIMITS = {-(2.0**31), 2.0**31 - 1, -(2.0**15), 2.0**15 - 1, 2.0**16 - 1}  # of whole numbers
ALONE = 3.0  # times the largest other number: so far a code stands from the values
CERTAIN = 99.0  # a larger code is hardly a value


def number_problems(cells: Cells, missing: Missing) -> Iterator[Problem]:
    """Find the cells that we or other programs cannot read as a number, and codes among numbers."""
    yield from text_problems(cells, missing)
    values = missing.numbers(cells.texts)
    yield from _far(cells, values)
    if missing.declared is None:
        yield from _codes(cells, values, missing)


def text_problems(cells: Cells, missing: Missing) -> Iterator[Problem]:
    """Find the cells that we or other programs cannot read as a number."""
    known = cells._replace(texts=missing.answers(cells.texts))
    yield from _with_comma(known)
    yield from _with_point(known)
    yield from find_cells(
        known,
        is_too_large,
        "numbers that no network can hold, taken as missing; correct them",
    )
    yield from find_cells(
        known,
        lambda cell: bool(PERCENTAGE.fullmatch(cell)),
        "percentages, taken as missing; write numbers without the sign",
    )
    yield from find_cells(
        known,
        _is_other_text,
        "texts in a column of numbers, taken as missing; correct them, or declare another column",
    )
    yield from word_problems(cells, missing)


def codes_among_classes(values: set[float]) -> list[float]:
    """Return the classes, which all are numbers, that look like codes for a missing value."""
    codes = {value for value in values if is_code(value) or value in DIGITS}
    others = values - codes
    return [code for code in sorted(codes) if len(others) > 1 and _is_apart(code, others)]


def is_code(value: float) -> bool:
    """Whether tables write this number for a missing value."""
    return value in LIMITS or bool(REPEATED.fullmatch(f"{value:.15g}"))


def _with_comma(known: Cells) -> Iterator[Problem]:
    if may_be_thousands(known.texts):
        yield from find_cells(
            known,
            lambda cell: bool(THOUSANDS.fullmatch(cell)) or is_decimal_comma(cell),
            "numbers whose comma may separate thousands or decimals, taken as missing; write them "
            "without it",
        )
        return
    yield from find_cells(
        known,
        is_decimal_comma,
        "numbers with a decimal comma; here they are read as numbers, by other programs as "
        "text: write points",
    )


def _with_point(known: Cells) -> Iterator[Problem]:
    """Find 1.234 in a column whose numbers from 100 to 999 have no decimals."""
    texts = [text.strip() for text in known.texts if text.strip()]
    pointed = [text for text in texts if "." in text]
    whole = [int(text) for text in texts if text.isdecimal()]
    if pointed and whole and all(map(POINTED.fullmatch, pointed)) and 100 <= max(whole) < 1000:
        yield from find_cells(
            known,
            lambda cell: "." in cell,
            "numbers whose point may separate thousands, and are read as decimals; write them "
            "without it, or with another number of decimals",
        )


def _is_other_text(cell: str) -> bool:
    is_number = number(cell) is not None or THOUSANDS.fullmatch(cell)
    return bool(cell) and not is_number and not PERCENTAGE.fullmatch(cell)


def _far(cells: Cells, values: Sequence[float | None]) -> Iterator[Problem]:
    read = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if np.isnan(read).all():
        return
    low, median, high = np.nanquantile(read, (0.25, 0.5, 0.75))
    if spread := high - low:
        is_far = np.abs(read - median) > FAR * spread
        yield from report_cells(
            cells,
            np.flatnonzero(is_far).tolist(),
            "numbers so far from the others that those are all one beside them; correct them, or "
            "empty the cells",
        )


def _codes(cells: Cells, values: Sequence[float | None], missing: Missing) -> Iterator[Problem]:
    """Find the numbers that stand for a missing value: repeated or large, and apart from others.

    A repeated large one is an error: a single one may be a value.
    """
    places: defaultdict[float, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        if value is not None:
            places[value].append(at)
    codes = {value for value in places if is_code(value)}
    others = {*places} - codes
    found = [code for code in sorted(codes) if others and _is_apart(code, others)]
    found = [code for code in found if len(places[code]) > 1 or abs(code) > CERTAIN]
    for code in found:
        yield from report_cells(
            cells,
            places[code],
            "read as numbers, and look like missing values; say "
            f"{missing.argument(f'{each:.15g}' for each in found)} in the study's Table(...), "
            "or missing=() if they are numbers",
            "error" if abs(code) > CERTAIN and len(places[code]) > 1 else "warn",
        )


def _is_apart(code: float, others: set[float]) -> bool:
    """Whether a code below 0 is so alone, or another one is far above all other numbers."""
    return min(others) >= 0 if code < 0 else ALONE * max(others) < code
