"""Sheets of XLSX workbooks, cell by cell: pandas would read errors and merged cells as missing."""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Literal
from zipfile import ZipFile

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from objectives.contract import DataError
from objectives.data.layouts.tables.grids import Grid, Line, Remark, filled, likeliest_header
from objectives.data.problems import Problem
from objectives.data.wording import are, counted, have

EXACT_DIGITS = 15  # of a number in Excel; of a longer id the last ones are zeros
FORMULA = re.compile(rb"<(\w+:)?f[ >]")


def read_workbook(path: str, contents: bytes, declared: frozenset[str], sheet: str | None) -> Grid:
    """Read the sheet that the study names, or the one with the declared columns.

    Raises DataError where several sheets may be meant.
    declared: the names of columns as `as_read` returns them.
    """
    with ZipFile(BytesIO(contents)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        has_formulas = any(FORMULA.search(archive.read(name)) for name in parts)
    book = _load(contents, data_only=True)
    lines = {each.title: filled(_lines(each)) for each in book.worksheets}
    if not lines:
        raise ValueError("it has no sheet")
    title = _named(path, sheet, lines) if sheet else _meant(path, lines, declared)
    chosen = book[title]
    remarks = [*_merged(path, chosen), *_hidden(path, chosen, lines[title])]
    if has_formulas:
        remarks += _uncomputed(path, chosen, _load(contents, data_only=False)[title])
    unread = tuple(name for name, rows in lines.items() if rows and name != title)
    return Grid(lines=lines[title], is_workbook=True, unread=unread, remarks=tuple(remarks))


def _load(contents: bytes, *, data_only: bool) -> Any:
    with warnings.catch_warnings():  # about parts of the workbook that are no cells
        warnings.simplefilter("ignore", UserWarning)
        return openpyxl.load_workbook(BytesIO(contents), data_only=data_only)


def _named(path: str, sheet: str, lines: Mapping[str, Sequence[Line]]) -> str:
    if sheet not in lines:
        raise DataError(
            f"{path}: no sheet {sheet!r}", fix=f"name one of {', '.join(map(repr, lines))}"
        )
    return sheet


def _meant(path: str, lines: Mapping[str, Sequence[Line]], declared: frozenset[str]) -> str:
    """Return the sheet whose header names the most declared columns, or the only one with rows."""
    with_rows = [name for name, rows in lines.items() if rows]
    if len(with_rows) < 2:
        return (with_rows or list(lines))[0]
    named = {name: likeliest_header(lines[name], declared).named for name in with_rows}
    likeliest = [name for name, count in named.items() if count == max(named.values())]
    if len(likeliest) > 1:
        raise DataError(
            f"{path}: the sheets {' and '.join(map(repr, likeliest))} may both be the table",
            fix=f"say which in the study's Table(...), as in sheet={likeliest[0]!r}",
        )
    return likeliest[0]


def _lines(worksheet: Worksheet) -> list[Line]:
    """Read the rows as text; a value that is merged over rows of one column stands in each."""
    rows = [[_text(value) for value in row] for row in worksheet.iter_rows(values_only=True)]
    for merged in worksheet.merged_cells.ranges:
        if merged.min_col == merged.max_col:
            for row in range(merged.min_row, merged.max_row):
                rows[row][merged.min_col - 1] = rows[merged.min_row - 1][merged.min_col - 1]
    return [Line(number, cells) for number, cells in enumerate(rows, 1)]


def _text(value: Any) -> str:
    """Return a cell's value as the text that CSV would have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()  # as Excel shows it
    if isinstance(value, int | float):
        if abs(value) >= 10**EXACT_DIGITS:
            return f"{value:.{EXACT_DIGITS - 1}E}"
        return str(int(value) if value == int(value) else value)
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _merged(path: str, worksheet: Worksheet) -> Iterator[Remark]:
    """Find the cells that are merged over several columns: their value may belong to either."""
    for merged in worksheet.merged_cells.ranges:
        if merged.min_col < merged.max_col:
            problem = _problem(
                f"{path}: the cells {merged.coord} are merged over several columns, and only the "
                "first has the value; unmerge them"
            )
            for column in range(merged.min_col, merged.max_col + 1):
                yield Remark(column - 1, problem)


def _hidden(path: str, worksheet: Worksheet, lines: Sequence[Line]) -> Iterator[Remark]:
    """Find a hidden sheet, hidden rows and hidden columns, which are read like the others."""
    fix = "read like the others; show them, and remove what should not count"
    if worksheet.sheet_state != "visible":
        found = f"{path}: the hidden sheet {worksheet.title!r} is {fix}"
        yield Remark(None, _problem(found, level="warn"))
    rows = [line.number for line in lines if worksheet.row_dimensions[line.number].hidden]
    if rows:
        count = counted(len(rows), "hidden row")
        found = f"{path}: {count}, for example row {rows[0]}, {are(len(rows))} {fix}"
        yield Remark(None, _problem(found, level="warn"))
    for each in worksheet.column_dimensions.values():
        if each.hidden:
            for column in range(each.min, min(each.max, worksheet.max_column) + 1):
                found = f"{path}: the hidden column {get_column_letter(column)} is {fix}"
                yield Remark(column - 1, _problem(found, level="warn"))


def _uncomputed(path: str, values: Worksheet, formulas: Worksheet) -> Iterator[Remark]:
    """Find the formulas whose result no program has stored; one of empty text has the type str."""
    without: defaultdict[int, list[str]] = defaultdict(list)
    for row, of_formulas in zip(values.iter_rows(), formulas.iter_rows(), strict=True):
        for cell, formula in zip(row, of_formulas, strict=True):
            if cell.value is None and formula.data_type == "f" and cell.data_type != "str":
                without[cell.column].append(cell.coordinate)
    for column, cells in without.items():
        problem = _problem(
            f"{path}: {counted(len(cells), 'formula')}, for example in {cells[0]}, "
            f"{have(len(cells))} no result yet, so that their cells are read as empty; open "
            "the workbook in Excel or LibreOffice and save it again"
        )
        yield Remark(column - 1, problem)


def _problem(message: str, level: Literal["error", "warn"] = "error") -> Problem:
    return Problem(rule="C13", level=level, message=message)
