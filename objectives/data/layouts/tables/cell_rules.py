"""Find the cells of a column that another program changed, or that are not what they seem (C13)."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple

from objectives.data.layouts.tables.cells import WHOLE_FLOAT, Missing
from objectives.data.problems import Problem, shortened

# As Excel and pandas write a long number; the sign distinguishes it from a hexadecimal id.
SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?e[+-]\d+", re.IGNORECASE)
MONTH = "(Jan|Feb|Mar|Mrz|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)"
# As a workbook's date is read, and as spreadsheets show one in English, German and Japanese.
DATE = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?|\d{1,2}:\d\d:\d\d"
    r"|\d{1,2}/\d{1,2}/(\d\d){1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{4}/\d{1,2}/\d{1,2}"
    rf"|\d{{1,2}}(-|\. ?){MONTH}(-(\d\d){{1,2}})?|{MONTH}-\d\d"
)
LOST = "\ufffd"
Level = Literal["error", "warn"]


class Cells(NamedTuple):
    """The cells of a column as they stand in the table, with their places."""

    column: str
    texts: Sequence[str]
    places: Sequence[str]


def find_cells(
    cells: Cells, is_wrong: Callable[[str], bool], found: str, level: Level = "error"
) -> Iterator[Problem]:
    """Report the cells that are wrong, with their number and the first of them.

    found: what they are, and the fix.
    """
    wrong = {text for text in set(cells.texts) if is_wrong(text.strip())}  # a column repeats texts
    at = [row for row, text in enumerate(cells.texts) if text in wrong] if wrong else []
    yield from report_cells(cells, at, found, level)


def report_cells(
    cells: Cells, wrong: Sequence[int], found: str, level: Level = "error"
) -> Iterator[Problem]:
    """Report the cells at some positions, if there are any, with the first of them."""
    if wrong:
        first = wrong[0]
        message = (
            f"column {cells.column!r}: {len(wrong)} of {len(cells.texts)} cells, for example "
            f"{shortened(cells.texts[first].strip())} ({cells.places[first]}), are {found}"
        )
        yield Problem(rule="C13", level=level, message=message)


def id_problems(cells: Cells) -> Iterator[Problem]:
    """Find the ids of a column that were stored as numbers."""
    yield from find_cells(
        cells,
        lambda cell: bool(SCIENTIFIC.fullmatch(cell)),
        "ids kept as numbers, their last digits lost, so that cases merge; export the column again "
        "as text",
    )
    yield from find_cells(
        cells,
        lambda cell: bool(WHOLE_FLOAT.fullmatch(cell)),
        "ids kept as floats; they are read without the `.0`, but export the column again as text",
    )


def date_problems(cells: Cells, may_be_dates: bool = False) -> Iterator[Problem]:
    """Find the names of a column that a spreadsheet took for dates, as it does grade 2-1.

    may_be_dates: whether a column of nothing but dates is one on purpose.
    """
    texts = [text.strip() for text in cells.texts if text.strip()]
    if not (may_be_dates and all(map(DATE.fullmatch, texts))):
        yield from find_cells(
            cells,
            lambda cell: bool(DATE.fullmatch(cell)),
            "dates, as a spreadsheet makes of names such as 2-1; format the column as text and "
            "enter the names again",
        )


def error_problems(cells: Cells, missing: Missing) -> Iterator[Problem]:
    """Find the errors that a spreadsheet left in a column."""
    yield from find_cells(
        cells,
        missing.is_error,
        "errors of a spreadsheet, taken as missing; correct their formulas or empty the cells",
    )


def lost_problems(cells: Cells) -> Iterator[Problem]:
    """Find the texts in which a program that read another encoding lost characters."""
    yield from find_cells(
        cells,
        lambda cell: LOST in cell,
        "texts of which a program lost characters; write them again, or export the table in UTF-8",
    )


def word_problems(cells: Cells, missing: Missing) -> Iterator[Problem]:
    """Find the missing values of a column that were written out as NaN."""
    yield from find_cells(
        cells,
        lambda cell: cell.casefold() == "nan" and missing.is_undeclared(cell),
        "missing values written as a word, which other programs take for a value; leave the cells"
        " empty",
    )


def missing_problems(cells: Cells, missing: Missing, kind: str) -> Iterator[Problem]:
    """Find the words for a missing value where a class, a patient or a site may be called so.

    kind: the word for a value of the column.
    """
    kinds: dict[str, Callable[[str], bool]] = {
        f"missing values written as a word, which may be a {kind}": missing.is_undeclared,
        f"read as a {kind} and look like missing values": partial(
            missing.is_suspect, of_groups=kind == "group"
        ),
    }
    words: dict[str, None] = {}
    for found, is_word in kinds.items():
        words |= dict.fromkeys(text.strip() for text in cells.texts if is_word(text))
        yield from find_cells(
            cells,
            is_word,
            f"{found}; leave the cells empty, or say {missing.argument(words)} in the study's "
            f"Table(...), or missing=() if every word is a {kind}",
        )
