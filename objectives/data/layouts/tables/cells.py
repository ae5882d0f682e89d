"""Read a table's cells, and find cells that another program has changed."""

import math
import re
from collections.abc import Callable, Iterator, Sequence

from objectives.data.problems import Problem

MISSING = {"", "nan", "na", "n/a", "#n/a", "null"}
UNKNOWN = MISSING | {"unk", "unknown"}  # so PAD-UFES-20 and HAM10000 write a missing answer
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")
# As Excel and pandas write a long number; the sign distinguishes it from a hexadecimal id.
SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?e[+-]\d+", re.IGNORECASE)


def is_missing(text: str) -> bool:
    """Whether a cell is empty or holds a word for an empty one."""
    return text.strip().casefold() in MISSING


def is_unknown(text: str) -> bool:
    """Whether a cell of metadata is missing or holds a word for an unknown value."""
    return text.strip().casefold() in UNKNOWN


def number(text: str) -> float | None:
    """Read a cell as a number, with a decimal point or comma; None for any other text."""
    text = text.strip()
    if "_" in text:  # 5_10 is a code, and Python reads it as 510
        return None
    try:
        value = float(text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def identifier(text: str) -> str:
    """Return an id as it was before a program took it for a number: 12 for 12.0."""
    text = text.strip()
    whole = WHOLE_FLOAT.fullmatch(text)
    return whole.group(1) if whole else text


def id_problems(column: str, cells: Sequence[str]) -> Iterator[Problem]:
    """Find the ids of a column that were stored as numbers (C13)."""
    yield from _cell_problem(
        column,
        cells,
        lambda cell: bool(SCIENTIFIC.fullmatch(cell)),
        "ids kept as numbers, their last digits lost, so that cases merge; export the column again "
        "as text",
    )
    yield from _cell_problem(
        column,
        cells,
        lambda cell: bool(WHOLE_FLOAT.fullmatch(cell)),
        "ids kept as floats; they are read without the `.0`, but export the column again as text",
    )


def number_problems(column: str, cells: Sequence[str]) -> Iterator[Problem]:
    """Find the cells in a column of numbers that we or other programs cannot read as one (C13)."""
    yield from _cell_problem(
        column,
        cells,
        lambda cell: bool(DECIMAL_COMMA.fullmatch(cell)),
        "numbers with a decimal comma; here they are read as numbers, by other programs as "
        "text: write points",
    )
    yield from _cell_problem(
        column,
        cells,
        lambda cell: number(cell) is None and not is_unknown(cell),
        "texts in a column of numbers, taken as missing; correct them, or declare another column",
    )
    yield from word_problems(column, cells)


def word_problems(column: str, cells: Sequence[str]) -> Iterator[Problem]:
    """Find the missing values of a column that were written out as a word (C13)."""
    yield from _cell_problem(
        column,
        cells,
        lambda cell: cell.casefold() == "nan",
        "missing values written as a word, which other programs take for a value; leave the cells"
        " empty",
    )


def _cell_problem(
    column: str, cells: Sequence[str], is_wrong: Callable[[str], bool], found: str
) -> Iterator[Problem]:
    wrong = [cell for cell in map(str.strip, cells) if is_wrong(cell)]
    if wrong:
        start = f"column {column!r}: {len(wrong)} of {len(cells)} cells, for example {wrong[0]!r}, "
        yield Problem(rule="C13", level="error", message=f"{start}are {found}")
