"""The class of each row of a table: text of a column, a number cut into classes, or one-hot."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from objectives.data.layouts.classes import in_order
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.tables.cells import is_missing, number
from objectives.data.layouts.tables.sheets import Sheet


def read_labels(sheet: Sheet, layout: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Read each row's label, "" for none, and all labels in the order of their classes."""
    if one_hot := list(layout.get("one_hot") or ()):
        columns = [sheet.column(name) for name in one_hot]
        return [_largest(one_hot, cells) for cells in zip(*columns, strict=True)], one_hot
    texts = sheet.column(layout["label"])
    if cuts := layout.get("cuts"):
        names = _names_between(cuts)
        return [_cut(text, cuts, names) for text in texts], names
    if layout.get("label_pattern"):
        pattern = compile_pattern(layout["label_pattern"], "label")
        texts = [match_pattern(pattern, text) for text in texts]
    labels = ["" if is_missing(text) else text for text in texts]
    return labels, in_order(label for label in labels if label)


def _largest(columns: Sequence[str], cells: Sequence[str]) -> str:
    values = [number(cell) or 0.0 for cell in cells]
    return columns[values.index(max(values))] if max(values) > 0 else ""


def _cut(text: str, cuts: Sequence[float], names: Sequence[str]) -> str:
    value = number(text)
    return "" if value is None else names[bisect_right(cuts, value)]


def _names_between(cuts: Sequence[float]) -> list[str]:
    inner = [f"{low:g}-{high:g}" for low, high in pairwise(cuts)]
    return [f"<{cuts[0]:g}", *inner, f">={cuts[-1]:g}"]
