"""The class of each row of a table: text of a column, a number cut into classes, or one-hot."""

import re
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
    report_cells,
)
from objectives.data.layouts.tables.cells import Missing, number
from objectives.data.layouts.tables.number_rules import (
    codes_among_classes,
    number_problems,
    text_problems,
)
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem

# The cells of a column per class: words for yes and no, and crosses.
AS_DIGITS = {
    **dict.fromkeys(("true", "yes", "y", "positive", "present", "x", "✓", "✔", "☑"), "1"),
    **dict.fromkeys(("false", "no", "n", "negative", "absent", "-", "☐"), "0"),
}
LIST = re.compile(r"[|;]")  # stands only between labels, so one of them may be no class
JOINT = re.compile(r"\s*[|;,+&/]\s*")


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
        yield from _code_problems(labels, sheet.missing)
        yield from _joined_problems(labels, {*cells.texts})


def _code_problems(labels: Cells, missing: Missing) -> Iterator[Problem]:
    """Find the classes that may be no classes: None as Python writes it, and codes such as -1."""
    if missing.declared is not None:
        return
    values = {text: number(text) for text in {*labels.texts} - {""}}
    known = {value for value in values.values() if value is not None}
    codes = set(codes_among_classes(known)) if len(known) == len(values) else set()
    found = [text for text, value in values.items() if value in codes or text == "None"]
    yield from find_cells(
        labels,
        lambda cell: cell in found,
        f"read as a class, and may be missing values; say {missing.argument(sorted(found))} in the "
        "study's Table(...), or missing=() if they are a class",
        "warn",
    )


def _joined_problems(labels: Cells, classes: set[str]) -> Iterator[Problem]:
    """Find the labels that are several other classes, as in Effusion|Mass."""
    parts = {text: JOINT.split(text) for text in {*labels.texts} if JOINT.search(text)}
    enough = {text: any if LIST.search(text) else all for text in parts}
    joined = {text for text, each in parts.items() if enough[text](one in classes for one in each)}
    yield from find_cells(
        labels,
        lambda cell: cell in joined,
        "several classes in one cell, read as a class of their own; take one of them with "
        "label_pattern, or leave them out with skip",
        "warn",
    )


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
        yield from text_problems(as_numbers, sheet.missing)
        values = sheet.missing.numbers(as_numbers.texts)
        below = [at for at, value in enumerate(values) if value is not None and value < 0]
        words = dict.fromkeys(as_numbers.texts[at].strip() for at in below)
        yield from report_cells(
            as_numbers,
            below,
            "below 0, as some data sets write `uncertain`, and taken as no; correct them, or say "
            f"{sheet.missing.argument(words)} in the study's Table(...), which is no, too",
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
