"""The class of a row that has a column per class: numbers, words for yes and no, or crosses."""

from collections.abc import Iterator, Sequence

from objectives.data.layouts.tables.cell_rules import (
    find_cells,
)
from objectives.data.layouts.tables.number_rules import number_problems
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem

WORDS = {
    **dict.fromkeys(("true", "yes", "y", "positive", "present", "x", "✓", "✔", "☑"), "1"),
    **dict.fromkeys(("false", "no", "n", "negative", "absent", "-", "☐"), "0"),
}


def read_one_hot(sheet: Sheet, columns: Sequence[str]) -> list[str]:
    """Return the column with the largest value of each row, the first of equals, "" for none."""
    return [columns[row.index(max(row))] if max(row) > 0 else "" for row in _rows(sheet, columns)]


def one_hot_problems(sheet: Sheet, columns: Sequence[str]) -> Iterator[Problem]:
    """Find the cells that are no numbers, and the rows of several classes or none (C13)."""
    for column in columns:
        cells = sheet.cells(column)
        as_numbers = cells._replace(texts=[_in_digits(text) for text in cells.texts])
        yield from number_problems(as_numbers, sheet.missing)
        yield from find_cells(
            as_numbers,
            lambda cell: cell.startswith("-"),
            "below 0, as some data sets write `uncertain`, and taken as no; correct them, or leave "
            "the cells empty",
        )
    yield from _ties(sheet, columns)


def _ties(sheet: Sheet, columns: Sequence[str]) -> Iterator[Problem]:
    tied: list[tuple[str, list[str]]] = []
    for place, row in zip(sheet.places, _rows(sheet, columns), strict=True):
        largest = [name for name, value in zip(columns, row, strict=True) if value == max(row)]
        if max(row) > 0 and len(largest) > 1:
            tied.append((place, largest))
    if tied:
        place, names = tied[0]
        yield Problem(
            rule="C13",
            level="error",
            message=(
                f"{len(tied)} of {len(sheet.places)} rows, for example {place}, have their largest "
                f"value in several columns ({' and '.join(map(repr, names))}), and the first is "
                "taken; correct the rows, or leave a column out of one_hot"
            ),
        )


def _rows(sheet: Sheet, columns: Sequence[str]) -> Iterator[tuple[float, ...]]:
    """Read the rows as numbers, 0 for a cell that is none."""
    read = [sheet.missing.numbers(list(map(_in_digits, sheet.column(each)))) for each in columns]
    return zip(*([value or 0.0 for value in values] for values in read), strict=True)


def _in_digits(text: str) -> str:
    return WORDS.get(text.strip().casefold(), text)
