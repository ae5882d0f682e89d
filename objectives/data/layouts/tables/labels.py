"""The class of each row of a table: text of a column, a number cut into classes, or one-hot."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from objectives.data.layouts.classes import declared_labels, in_order
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.tables.cell_rules import (
    Cells,
    date_problems,
    find_cells,
    missing_problems,
)
from objectives.data.layouts.tables.cells import number
from objectives.data.layouts.tables.number_rules import number_problems
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem

# The cells of a column per class: words for yes and no, and crosses.
AS_DIGITS = {
    **dict.fromkeys(("true", "yes", "y", "positive", "present", "x", "✓", "✔", "☑"), "1"),
    **dict.fromkeys(("false", "no", "n", "negative", "absent", "-", "☐"), "0"),
}


def read_labels(sheet: Sheet, layout: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Read each row's label, "" for none, and all labels in the order of their classes."""
    if one_hot := list(layout.get("one_hot") or ()):
        return _read_one_hot(sheet, one_hot), one_hot
    if cuts := layout.get("cuts"):
        names = _names_between(cuts)
        values = sheet.missing.numbers(sheet.column(layout["label"]))
        labels = ["" if each is None else names[bisect_right(cuts, each)] for each in values]
        return labels, names
    cells, named = _texts(sheet, layout), declared_labels(layout)
    known = sheet.missing.known(cells.texts)
    labels = [
        each if each in named else other for each, other in zip(cells.texts, known, strict=True)
    ]
    return labels, in_order(label for label in labels if label)


def label_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the cells of labels that mean something else to another program (C13)."""
    if one_hot := list(layout.get("one_hot") or ()):
        yield from _one_hot_problems(sheet, one_hot)
    elif layout.get("cuts"):
        yield from number_problems(sheet.cells(layout["label"]), sheet.missing)
    else:
        cells, named = _texts(sheet, layout), declared_labels(layout)
        unnamed = [at for at, text in enumerate(cells.texts) if text not in named]
        labels = Cells(cells.column, *([each[at] for at in unnamed] for each in cells[1:]))
        yield from missing_problems(labels, sheet.missing, "class")
        yield from date_problems(labels)


def _texts(sheet: Sheet, layout: Mapping[str, Any]) -> Cells:
    """Return the labels as they stand in the table."""
    cells = sheet.cells(layout["label"])
    if layout.get("label_pattern"):
        pattern = compile_pattern(layout["label_pattern"], "label")
        cells = cells._replace(texts=[match_pattern(pattern, text) for text in cells.texts])
    stripped = [text.strip() for text in cells.texts]
    # Spaces around the labels are no part of them, unless that made one class of two unsaid (C09).
    keeps_classes = len({*stripped, ""}) == len({*cells.texts, ""})
    return cells._replace(texts=stripped) if keeps_classes else cells


def _names_between(cuts: Sequence[float]) -> list[str]:
    inner = [f"{low:g}-{high:g}" for low, high in pairwise(cuts)]
    return [f"<{cuts[0]:g}", *inner, f">={cuts[-1]:g}"]


def _read_one_hot(sheet: Sheet, columns: Sequence[str]) -> list[str]:
    """Return the column with the largest value of each row, the first of equals, "" for none."""
    return [columns[row.index(max(row))] if max(row) > 0 else "" for row in _rows(sheet, columns)]


def _one_hot_problems(sheet: Sheet, columns: Sequence[str]) -> Iterator[Problem]:
    """Find the cells that are no numbers, and the rows of several classes or none (C13)."""
    for column in columns:
        cells = sheet.cells(column)
        as_numbers = cells._replace(texts=[_in_digits(text) for text in cells.texts])
        yield from number_problems(as_numbers, sheet.missing)
        yield from find_cells(
            as_numbers,
            lambda cell: (number(cell) or 0.0) < 0,
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
    return AS_DIGITS.get(text.strip().casefold(), text)
