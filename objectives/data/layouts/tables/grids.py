"""The cells of a text file or of a workbook's sheet, and the row among them that is the header."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from objectives.contract import DataError
from objectives.data.alike import as_read
from objectives.data.problems import Problem

LOOKED_AT = 100  # rows that may stand above the header
# Declared columns that a row names where it is the header below other rows; one is enough below
# rows of a single cell, as titles and comments are.
CERTAIN = 2


class Line(NamedTuple):
    """A row of cells.

    number: of the line in a text file or of the row in a sheet, as editors show it, from 1 on.
    """

    number: int
    cells: list[str]


class Remark(NamedTuple):
    """A problem of some cells of a column, which counts where the study uses the column.

    column: its position, from 0 on; None where the problem is of every column.
    """

    column: int | None
    problem: Problem


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The rows of a table that are not blank.

    unread: the other sheets of the workbook that hold something.
    """

    lines: Sequence[Line]
    is_workbook: bool
    unread: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def word(self) -> str:
        """The word for one of its rows, as editors show it."""
        return "row" if self.is_workbook else "line"


@dataclass(frozen=True)
class Header:
    """Where the header stands, and how many of the declared columns it names.

    at: its position among the rows that are not blank, from 0 on.
    """

    at: int
    named: int


def filled(lines: Sequence[Line]) -> list[Line]:
    """Return the rows that are not blank."""
    return [line for line in lines if any(cell.strip() for cell in line.cells)]


def likeliest_header(lines: Sequence[Line], declared: frozenset[str]) -> Header:
    """Return the first of the rows that name the most declared columns.

    declared: the names as `as_read` returns them.
    """
    counts = [_count_named(line, declared) for line in lines[:LOOKED_AT]] or [0]
    return Header(counts.index(max(counts)), max(counts))


def find_header(
    path: str, grid: Grid, declared: frozenset[str], skip_rows: int | None = None
) -> int:
    """Find the header's position among the rows; DataError where two rows may be it.

    It is the first row, or below a title or comments the row that names the declared columns.
    skip_rows: the number of lines above it, where the study says so.
    """
    if skip_rows is not None:
        return _below(path, grid, skip_rows)
    best = likeliest_header(grid.lines, declared)
    has_titles = all(_count_filled(line) == 1 for line in grid.lines[: best.at])
    if best.named < CERTAIN and not (best.named and has_titles):
        return 0
    if above := [line for line in grid.lines[: best.at] if _count_named(line, declared)]:
        one, other = above[0].number, grid.lines[best.at].number
        raise DataError(
            f"{path}: {grid.word} {one} and {grid.word} {other} both name columns of the study",
            fix=f"say which is the header: skip_rows={one - 1} or skip_rows={other - 1}",
        )
    return best.at


def _below(path: str, grid: Grid, skip_rows: int) -> int:
    """Return the position of the first row below some lines; DataError where there is none."""
    for at, line in enumerate(grid.lines):
        if line.number > skip_rows:
            return at
    raise DataError(
        f"{path}: skip_rows={skip_rows} leaves none of its {len(grid.lines)} rows",
        fix="correct it",
    )


def _count_named(line: Line, declared: frozenset[str]) -> int:
    return len(declared & set(map(as_read, line.cells)))


def _count_filled(line: Line) -> int:
    return sum(bool(cell.strip()) for cell in line.cells)
