"""The class of each row of a table: text of a column, a number cut into classes, or one-hot."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from objectives.data.layouts.classes import in_order
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.tables.cell_rules import (
    Cells,
    date_problems,
    missing_problems,
)
from objectives.data.layouts.tables.number_rules import number_problems
from objectives.data.layouts.tables.one_hot import one_hot_problems, read_one_hot
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem


def read_labels(sheet: Sheet, layout: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Read each row's label, "" for none, and all labels in the order of their classes."""
    if one_hot := list(layout.get("one_hot") or ()):
        return read_one_hot(sheet, one_hot), one_hot
    if cuts := layout.get("cuts"):
        names = _names_between(cuts)
        values = sheet.missing.numbers(sheet.column(layout["label"]))
        labels = ["" if each is None else names[bisect_right(cuts, each)] for each in values]
        return labels, names
    cells, named = _texts(sheet, layout), _named(layout)
    known = sheet.missing.known(cells.texts)
    labels = [
        each if each in named else other for each, other in zip(cells.texts, known, strict=True)
    ]
    return labels, in_order(label for label in labels if label)


def label_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the cells of labels that mean something else to another program (C13)."""
    if one_hot := list(layout.get("one_hot") or ()):
        yield from one_hot_problems(sheet, one_hot)
    elif layout.get("cuts"):
        yield from number_problems(sheet.cells(layout["label"]), sheet.missing)
    else:
        cells, named = _texts(sheet, layout), _named(layout)
        unnamed = [at for at, text in enumerate(cells.texts) if text not in named]
        labels = Cells(cells.column, *([each[at] for at in unnamed] for each in cells[1:]))
        yield from missing_problems(labels, sheet.missing, "class")
        yield from date_problems(labels)


def _named(layout: Mapping[str, Any]) -> set[str]:
    """Return the labels that the study names or skips, so that they are classes."""
    return {*(layout.get("names") or {}), *(layout.get("skip") or ())}


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
