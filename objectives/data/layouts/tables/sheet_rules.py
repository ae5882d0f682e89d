"""Find the cells of a table that mean something else to another program (C13), by their role."""

from collections.abc import Iterator, Mapping
from typing import Any

from objectives.data.layouts.tables.cell_rules import (
    date_problems,
    error_problems,
    id_problems,
    missing_problems,
)
from objectives.data.layouts.tables.declared import (
    group_columns,
    is_column,
    path_columns,
    used_columns,
)
from objectives.data.layouts.tables.metadata import alike_problems, metadata_problems
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.layouts.tables.targets import label_problems
from objectives.data.problems import Problem


def sheet_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Return the problems found while reading, and those of every column that is used."""
    yield from sheet.problems
    for name in used_columns(layout):
        yield from error_problems(sheet.cells(name), sheet.missing)
    yield from label_problems(sheet, layout)
    yield from name_problems(sheet, layout)
    for name in group_columns(layout):
        yield from missing_problems(sheet.cells(name), sheet.missing, "group")
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
        # A whole group is no date.
        yield from date_problems(cells, may_be_dates and not is_group.get(name, False))


def _site_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    yield from missing_problems(sheet.cells(layout["site"]), sheet.missing, "site")
    if not layout.get("merge_alike"):
        yield from alike_problems(layout["site"], filter(None, sheet.known(layout["site"])))
