"""The rows of the tables: label, group, split, site and metadata, and what is wrong in them."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from objectives.contract import DataError
from objectives.data.alike import merged
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.split_words import split_of
from objectives.data.layouts.tables.cell_rules import (
    Cells,
    date_problems,
    error_problems,
    id_problems,
    lost_problems,
    missing_problems,
    report_cells,
)
from objectives.data.layouts.tables.cells import Missing, identifier, number
from objectives.data.layouts.tables.declared import (
    columns_of,
    group_columns,
    is_column,
    path_columns,
    used_columns,
)
from objectives.data.layouts.tables.finding import fill
from objectives.data.layouts.tables.labels import label_problems, read_labels
from objectives.data.layouts.tables.metadata import (
    alike_problems,
    metadata_problems,
    read_metadata,
)
from objectives.data.layouts.tables.number_rules import is_code
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem

CROWD = 3  # times the rows of the next largest group

log = logging.getLogger(__name__)


class Row(NamedTuple):
    """A row of the tables; "" for a label, group, split or site that it does not give."""

    label: str
    group: str
    split: str
    site: str
    metadata: tuple[float | str | None, ...]


def read_rows(sheet: Sheet, layout: Mapping[str, Any]) -> tuple[list[Row], list[str]]:
    """Read the rows, and the labels in the order of their classes."""
    labels, order = read_labels(sheet, layout)
    columns = (
        labels,
        _groups(sheet, layout),
        _splits(sheet, layout),
        _sites(sheet, layout),
        read_metadata(sheet, layout),
    )
    return [Row(*cells) for cells in zip(*columns, strict=True)], order


def cells_by_row(sheet: Sheet, names: Iterable[str]) -> list[dict[str, str]]:
    """Return the cells of some columns row by row, "" for a missing one."""
    columns = {name: sheet.known(name) for name in names}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def row_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the cells that are wrong or mean something else to another program (C13).

    The problems found while the tables were read come first.
    """
    yield from sheet.problems
    for name in used_columns(layout):
        yield from error_problems(sheet.cells(name), sheet.missing)
        yield from lost_problems(sheet.cells(name))
    yield from label_problems(sheet, layout)
    yield from name_problems(sheet, layout)
    for name in group_columns(layout):
        yield from missing_problems(sheet.cells(name), sheet.missing, "group")
        yield from _crowd_problems(sheet.cells(name), sheet.missing)
    if layout.get("site"):
        yield from _site_problems(sheet, layout)
    yield from metadata_problems(sheet, layout)


def name_problems(
    sheet: Sheet, layout: Mapping[str, Any], *, may_be_dates: bool = True
) -> Iterator[Problem]:
    """Find the ids and groups that were stored as numbers or dates.

    may_be_dates: whether a column of nothing but dates may be a part of a path or a group.
    """
    groups = group_columns(layout)
    is_group = {name: is_column(layout["group"]) for name in groups}
    for name in dict.fromkeys((*path_columns(layout), *groups)):
        cells = sheet.cells(name)
        yield from id_problems(cells)
        # A column that is the group by itself never holds dates on purpose.
        yield from date_problems(cells, may_be_dates and not is_group.get(name, False))


def _groups(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    """Read each row's group, "" where its images are a group of their own."""
    if not (declared := layout.get("group")):
        return [""] * len(sheet.splits)
    if not (columns := columns_of(declared)):
        raise DataError(
            f"{sheet.name}: the group {declared!r} names no column",
            fix="name one, or several in braces",
        )
    groups = [fill(declared, row) for row in cells_by_row(sheet, columns)]
    if layout.get("group_pattern"):
        groups = _cut_out(groups, layout["group_pattern"], sheet)
    if alone := groups.count(""):
        log.warning("%s: %d rows have no %s: each row its own group", sheet.name, alone, declared)
    return merged(groups) if layout.get("merge_alike") else groups


def _cut_out(cells: list[str], expression: str, sheet: Sheet) -> list[str]:
    """Read the groups out of cells by a pattern; DataError for a cell without one."""
    pattern = compile_pattern(expression, "group")
    groups = [match_pattern(pattern, cell) for cell in cells]
    for cell, group, place in zip(cells, groups, sheet.places, strict=True):
        if cell and not group:
            raise DataError(
                f"{place}: {cell!r} gives no group by {expression!r}",
                fix="correct the study's group_pattern, or this row",
            )
    return groups


def _splits(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    words = sheet.known(layout["split"]) if layout.get("split") else sheet.splits
    if not any(words):
        return words
    splits = [split_of(word) for word in words]
    if "" in splits:
        at = splits.index("")
        raise DataError(
            f"{sheet.places[at]}: {repr(words[at]) if words[at] else 'an empty cell'} is no split",
            fix="say train, val or test",
        )
    return splits


def _sites(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    if not layout.get("site"):
        return [""] * len(sheet.splits)
    sites = [site.strip() for site in sheet.known(layout["site"])]
    return merged(sites) if layout.get("merge_alike") else sites


def _crowd_problems(cells: Cells, missing: Missing) -> Iterator[Problem]:
    """Find a number such as 0 or -1 that far more rows have as group than any other (C13)."""
    groups = list(map(identifier, missing.known(cells.texts)))
    (name, most), *others = [*Counter(filter(None, groups)).most_common(2), ("", 0)]
    value = number(name)
    may_be_code = value is not None and (value == 0 or is_code(value))
    if may_be_code and missing.declared is None and most > CROWD * others[0][1]:
        yield from report_cells(
            cells,
            [at for at, group in enumerate(groups) if group == name],
            "one group with far more rows than any other, and may be no patient's number; say "
            f"{missing.argument([name])} in the study's Table(...), or missing=() if it is one",
            "warn",
        )


def _site_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    yield from missing_problems(sheet.cells(layout["site"]), sheet.missing, "site")
    if not layout.get("merge_alike"):
        yield from alike_problems(layout["site"], filter(None, sheet.known(layout["site"])))
