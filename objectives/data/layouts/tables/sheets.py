"""All tables of a declaration as one sheet of text, read one below the other or joined."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from objectives.contract import DataError
from objectives.data.alike import as_read, spelled
from objectives.data.layouts.tables.cell_rules import Cells
from objectives.data.layouts.tables.cells import UNKNOWN, WORDS, Missing
from objectives.data.layouts.tables.declared import used_columns
from objectives.data.layouts.tables.files import PLACE, TableFile, read_file
from objectives.data.layouts.tables.joins import join
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem

TABLE = "table"  # the column of the file's name, which a table may also have of its own
SHOWN = 12  # names of columns in a message


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Columns of text, all of one length.

    name: of the file, or of the first of several.
    columns: name -> cells.
    places: of each row in its file, as in "meta.csv line 17".
    splits: of each row, as the declaration of its table says; "" where it says nothing.
    problems: found while reading and joining (C04, C13).
    """

    name: str
    columns: Mapping[str, list[str]]
    places: list[str]
    splits: list[str]
    missing: Missing
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]

    def column(self, name: str) -> list[str]:
        """Return a column's cells as they stand; DataError for an unknown column."""
        if name not in self.columns:
            raise unknown_column(self.name, name, list(self.columns))
        return self.columns[name]

    def cells(self, name: str) -> Cells:
        """Return a column's cells as they stand, with their places."""
        return Cells(name, self.column(name), self.places)

    def known(self, name: str) -> list[str]:
        """Return a column's cells, "" for a missing one."""
        return self.missing.known(self.column(name))

    def answers(self, name: str) -> list[str]:
        """Return a column's cells of metadata, "" for a missing or unknown one."""
        return self.missing.answers(self.column(name))


def unknown_column(table: str, name: str, columns: Sequence[str]) -> DataError:
    """Return the error about a column that is not there, with the one that was meant if any is."""
    found = f"{table}: no column {name!r}"
    if alike := [each for each in columns if as_read(each) == as_read(name)]:
        return DataError(
            f"{found}, but {spelled(alike[0])}, which looks the same or nearly so",
            fix=f"write {spelled(alike[0])} in the study, or rename the column in the table",
        )
    if close := get_close_matches(name, columns, 1, 0.6):
        return DataError(found, fix=f"did you mean {close[0]!r}?")
    shown = ", ".join(map(repr, columns[:SHOWN])) + (", ..." if len(columns) > SHOWN else "")
    return DataError(
        f"{found} among {shown}",
        fix="correct the study, write a header where none is, or say where it is with skip_rows, "
        "sheet or sep",
    )


def read_sheets(folder: Path, layout: Mapping[str, Any]) -> Sheet:
    """Read all tables of a declaration into one; DataError where a file cannot be read."""
    names, used = _tables(layout["table"]), used_columns(layout)
    files = [read_file(folder / name, name, layout) for _, name in names]
    joined = [read_file(folder / name, name, layout) for name in layout.get("join") or ()]
    _check_arguments([*files, *joined], layout)
    _check_columns(files, joined, used)
    table = pd.concat([each.frame for each in files], ignore_index=True).fillna("")
    problems: list[Problem] = []
    for file in joined:
        shared = _shared(table, file, names[0][1])
        for each in (*files, *joined):
            each.check_unique(shared)
        table, found = join(table, file.frame.drop(columns=PLACE), (names[0][1], file.name), shared)
        problems += found
    for file in (*files, *joined):
        file.check_unique(used)
        problems += [each for name in used for each in file.remarks.get(name, ())]
    counts = [len(each.frame) for each in files]
    if TABLE not in table:
        table[TABLE] = _repeated([Path(name).stem for _, name in names], counts)
    columns = {str(name): table[name].tolist() for name in table}
    return Sheet(
        name=names[0][1],
        places=columns.pop(PLACE),
        columns=columns,
        splits=_repeated([split for split, _ in names], counts),
        missing=_missing(columns, layout),
        left_out=tuple(each for file in (*files, *joined) for each in file.left_out),
        problems=(*problems, *_alike_columns(names[0][1], list(columns), used)),
    )


def file_names(layout: Mapping[str, Any]) -> set[str]:
    """Return the paths of all tables of a declaration."""
    return {*(name for _, name in _tables(layout["table"])), *(layout.get("join") or ())}


def _tables(declared: str | Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    """Return split and name of each table; a mapping, which a database reorders, is sorted."""
    if isinstance(declared, str):
        return [("", declared)]
    if isinstance(declared, Mapping):
        return sorted(declared.items())
    return [("", name) for name in declared]


def _missing(columns: Mapping[str, list[str]], layout: Mapping[str, Any]) -> Missing:
    if layout.get("missing") is not None:
        return Missing(tuple(layout["missing"]))
    known: dict[str, None] = {}
    for name in used_columns(layout):
        usual = UNKNOWN if name in (layout.get("metadata") or {}) else WORDS
        cells = dict.fromkeys(cell.strip() for cell in columns[name])
        known |= dict.fromkeys(cell for cell in cells if cell.casefold() in usual)
    # `unknown` may be a class, and missing in another column.
    labels = {cell.strip().casefold() for cell in columns.get(layout.get("label") or "", ())}
    classes = labels - WORDS
    return Missing(usual=tuple(word for word in known if word.casefold() not in classes))


def _check_arguments(files: Sequence[TableFile], layout: Mapping[str, Any]) -> None:
    """Raise DataError for an argument about workbooks without one, or about text without any."""
    kinds = {file.is_workbook for file in files}
    for name, is_of_workbooks in (("sheet", True), ("sep", False), ("encoding", False)):
        if layout.get(name) is not None and is_of_workbooks not in kinds:
            kind = "workbooks" if is_of_workbooks else "text files"
            raise DataError(
                f"{files[0].name}: the study says {name}={layout[name]!r}, which is of {kind}",
                fix="leave it out, or name the table that is meant",
            )


def _check_columns(
    files: Sequence[TableFile], joined: Sequence[TableFile], used: Sequence[str]
) -> None:
    """Raise DataError for a column that is used and that only some of the tables have."""
    elsewhere = {name for file in joined for name in file.columns} | {TABLE}
    for name in used:
        has = [name in file.columns for file in files]
        if not all(has) and (any(has) or name not in elsewhere):
            lacking = [files[has.index(False)], *(() if any(has) else joined)]
            tables = " and ".join(each.name for each in lacking)
            columns = dict.fromkeys(column for each in lacking for column in each.columns)
            raise unknown_column(tables, name, list(columns))


def _shared(table: pd.DataFrame, file: TableFile, name: str) -> list[str]:
    shared = [str(each) for each in table if each in file.columns]
    if not shared:
        raise DataError(
            f"{file.name}: no column in common with {name} ({', '.join(file.columns)})",
            fix="name the id alike in both",
        )
    return shared


def _repeated(values: Sequence[str], counts: Sequence[int]) -> list[str]:
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]


def _alike_columns(table: str, columns: Sequence[str], used: Sequence[str]) -> Iterator[Problem]:
    """Find the columns that a person could take for one that is used (C13)."""
    for name in used:
        others = [each for each in columns if each != name and as_read(each) == as_read(name)]
        if others and not {*others} & {*used}:
            both = " and ".join(map(spelled, (name, *others)))
            yield Problem(
                rule="C13",
                level="error",
                message=(
                    f"{table}: the columns {both} look the same or nearly so, and the study uses "
                    "the first; rename or remove what is not meant"
                ),
            )
