"""One table's file as a frame of text, with what is left out and what its cells hide."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import pandas as pd

from objectives.contract import DataError
from objectives.data.alike import as_read
from objectives.data.layouts.tables.declared import used_columns
from objectives.data.layouts.tables.delimited import decode, read_delimited
from objectives.data.layouts.tables.grids import Grid, Line, Remark, find_header
from objectives.data.layouts.tables.workbooks import read_workbook
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem
from objectives.files.kinds import UNPACK, kind_of

PLACE = "\0place"  # the column with each row's place in its file; no column of a file is called so
ABOVE_HEADER = "lines above the header"
OTHER_SHEET = "sheets that are not read"
NAMED_TWICE = "columns that are named like another one"
EXPORT = "export it as CSV in UTF-8 or XLSX"
MARKUP = re.compile(rb"\s*<(!doctype|html|table|\?xml|stata)", re.IGNORECASE)
ZIP = b"PK\x03\x04"
WORKBOOK = "xl/workbook.xml"
ZIPPED = {
    "xl/workbook.bin": "a binary Excel file (XLSB)",
    "content.xml": "an OpenDocument file (ODS)",
    "Index/Document.iwa": "a Numbers file",
}
# A damaged table raises any of these; from BadZipFile on an XLSX, which is zipped XML.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    BadZipFile,
    ZlibError,
    NotImplementedError,
    ParseError,
    TypeError,
)


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """The rows of one file.

    is_workbook: whether it is no text.
    frame: cells of text by the names of the header, and `PLACE`.
    twice: name -> the numbers of the columns that are called so, where there are several.
    remarks: name of a column -> its problems.
    """

    name: str
    is_workbook: bool
    frame: pd.DataFrame
    twice: Mapping[str, Sequence[int]]
    left_out: Sequence[LeftOut]
    remarks: Mapping[str, Sequence[Problem]]

    @property
    def columns(self) -> list[str]:
        """The names of the columns in the file."""
        return [str(name) for name in self.frame if name != PLACE]

    def check_unique(self, names: Sequence[str]) -> None:
        """Raise DataError where a column that is used is not the only one of its name."""
        for name in names:
            if numbers := self.twice.get(name):
                columns = " and ".join(map(str, numbers))
                raise DataError(
                    f"{self.name}: several columns are called {name!r}: number {columns}",
                    fix="rename or remove all but the one that the study means",
                )


def read_file(path: Path, name: str, layout: Mapping[str, Any]) -> TableFile:
    """Read one table; DataError where it cannot be read, or two readings are possible.

    name: of the file in the data folder, for messages.
    """
    try:
        grid = _read_grid(path, layout)
        return _with_header(name, grid, _header(path.name, grid, layout))
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such table",
            fix="correct the study's `table` or the path given to --data",
        ) from error
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as a table ({' '.join(str(error).split())})",
            fix="save it again as CSV in UTF-8 or XLSX",
        ) from error


def _read_grid(path: Path, layout: Mapping[str, Any]) -> Grid:
    contents = path.read_bytes()
    if not contents.strip():
        raise ValueError("it is empty")
    declared = frozenset(map(as_read, used_columns(layout)))
    if _is_workbook(path.name, contents):
        return read_workbook(path.name, contents, declared, layout.get("sheet"))
    text = decode(path.name, contents, layout.get("encoding"))
    return read_delimited(path.name, text, declared, layout.get("sep"))


def _is_workbook(path: str, contents: bytes) -> bool:
    """Whether the file is an XLSX workbook; DataError for another kind of file that has no text.

    path: the file's name; a damaged workbook is known by its ending.
    """
    is_zip = contents.startswith(ZIP)
    if not is_zip and (kind := kind_of(contents)):
        raise DataError(f"{path}: {kind.name}", fix=kind.fix or EXPORT)
    if MARKUP.match(contents):
        raise DataError(f"{path}: a page of HTML or XML, whatever its ending says", fix=EXPORT)
    is_named_so = contents.startswith(b"PK") and path.lower().endswith((".xlsx", ".xlsm"))
    if not (is_named_so or is_zip):
        return False
    with ZipFile(BytesIO(contents)) as archive:
        names = archive.namelist()
    if WORKBOOK not in names:
        document = next((kind for name, kind in ZIPPED.items() if name in names), None)
        raise DataError(
            f"{path}: {document or 'a zip archive'}", fix=EXPORT if document else UNPACK
        )
    return True


def _header(path: str, grid: Grid, layout: Mapping[str, Any]) -> int:
    if not grid.lines:
        raise ValueError("it has no rows")
    declared = frozenset(map(as_read, used_columns(layout)))
    return find_header(path, grid, declared, layout.get("skip_rows"))


def _with_header(name: str, grid: Grid, at: int) -> TableFile:
    header, lines = grid.lines[at], grid.lines[at + 1 :]
    # As pandas calls a column without a name: such is the index of a table that it wrote.
    names = [cell.strip() or f"Unnamed: {column}" for column, cell in enumerate(header.cells)]
    _check_widths(name, grid, lines, len(names))
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(names, 1):
        numbers[each].append(number)
    cells = {each: _column(lines, own[0] - 1) for each, own in numbers.items()}
    places = [f"{name} {grid.word} {line.number}" for line in lines]
    return TableFile(
        name=name,
        is_workbook=grid.is_workbook,
        frame=pd.DataFrame({**cells, PLACE: places}, dtype=str),
        twice={each: own for each, own in numbers.items() if len(own) > 1},
        left_out=_left_out(name, grid, at, numbers),
        remarks=_by_name([*grid.remarks, *_short(name, grid, lines, names)], names),
    )


def _check_widths(name: str, grid: Grid, lines: Sequence[Line], width: int) -> None:
    """Raise DataError for a row of more cells than the header has; a sheet has none."""
    for line in lines:
        if len(line.cells) > width:
            raise DataError(
                f"{name}: cannot be read as a table: {grid.word} {line.number} has "
                f"{len(line.cells)} cells, the header {width}",
                fix="name every column in the header, and quote cells that hold the delimiter",
            )


def _short(name: str, grid: Grid, lines: Sequence[Line], names: Sequence[str]) -> Iterator[Remark]:
    """Find the rows that end before a column: a cell is missing in them, which may be any (C13)."""
    for column in range(min((len(line.cells) for line in lines), default=0), len(names)):
        short = [line.number for line in lines if len(line.cells) <= column]
        message = (
            f"{name}: {len(short)} of {len(lines)} rows, for example {grid.word} {short[0]}, end "
            f"before the column {names[column]!r}, which is read as empty; see that none of their "
            "cells is missing"
        )
        yield Remark(column, Problem(rule="C13", level="warn", message=message))


def _by_name(remarks: Sequence[Remark], names: Sequence[str]) -> Mapping[str, list[Problem]]:
    """Return the problems of each column that the header names."""
    problems: defaultdict[str, list[Problem]] = defaultdict(list)
    for column, problem in remarks:
        for name in names if column is None else names[column : column + 1]:
            problems[name].append(problem)
    return problems


def _column(lines: Sequence[Line], at: int) -> list[str]:
    """Return the cells of a column, "" in rows that end before it."""
    return [line.cells[at] if at < len(line.cells) else "" for line in lines]


def _left_out(
    name: str, grid: Grid, at: int, numbers: Mapping[str, Sequence[int]]
) -> list[LeftOut]:
    above = tuple(f"{name} {grid.word} {line.number}" for line in grid.lines[:at])
    unread = tuple(f"{name} sheet {each!r}" for each in grid.unread)
    repeated = tuple(
        f"{name} column {number} {each!r}" for each, own in numbers.items() for number in own[1:]
    )
    reasons = {ABOVE_HEADER: above, OTHER_SHEET: unread, NAMED_TWICE: repeated}
    return [LeftOut(reason=reason, paths=paths) for reason, paths in reasons.items() if paths]
