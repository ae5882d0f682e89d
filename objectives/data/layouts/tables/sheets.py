"""Tables as text: CSV, TSV and XLSX files, read one below the other or joined."""

import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import pandas as pd

from objectives.contract import DataError
from objectives.data.layouts.tables.cells import id_problems, identifier
from objectives.data.problems import Problem
from objectives.recipe.fields import nearest

DELIMITERS = ",;\t"
EXACT_DIGITS = 15  # of a number in Excel; of a longer id the last ones are zeros
# A damaged table raises any of these; from BadZipFile on an XLSX, which is zipped XML.
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    pd.errors.ParserWarning,
    BadZipFile,
    zlib.error,
    NotImplementedError,
    ParseError,
    TypeError,
)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Columns of text, all of one length.

    name: of the file, or of the first of several.
    columns: name -> cells.
    splits: of each row, as the declaration of its table says; "" where it says nothing.
    problems: found while reading and joining (C04, C13).
    """

    name: str
    columns: Mapping[str, list[str]]
    splits: list[str]
    problems: tuple[Problem, ...]

    def column(self, name: str) -> list[str]:
        """Return a column's cells; DataError with the nearest name for an unknown column."""
        if name not in self.columns:
            raise DataError(
                f"{self.name}: no column {name!r}",
                fix=f"did you mean {nearest(name, self.columns)!r}?",
            )
        return self.columns[name]


def read_sheets(folder: Path, layout: Mapping[str, Any]) -> Sheet:
    """Read all tables of a declaration into one; DataError where a file cannot be read."""
    names = _tables(layout["table"])
    frames = [_read(folder / name) for _, name in names]
    table = pd.concat(frames, ignore_index=True).fillna("")
    lengths = [len(frame) for frame in frames]
    splits = [split for (split, _), count in zip(names, lengths, strict=True) for _ in range(count)]
    problems: list[Problem] = []
    for name in layout.get("join") or ():
        table, found = _joined(table, _read(folder / name), names[0][1], name)
        problems += found
    if "table" not in table:
        stems = [Path(name).stem for _, name in names]
        table["table"] = [
            stem for stem, count in zip(stems, lengths, strict=True) for _ in range(count)
        ]
    columns = {str(name): table[name].tolist() for name in table}
    return Sheet(name=names[0][1], columns=columns, splits=splits, problems=tuple(problems))


def _tables(declared: str | Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    """Return split and name of each table; a mapping, which a database reorders, is sorted."""
    if isinstance(declared, str):
        return [("", declared)]
    if isinstance(declared, Mapping):
        return sorted(declared.items())
    return [("", name) for name in declared]


def _read(path: Path) -> pd.DataFrame:
    """Read one table; every cell is text, empty where there is nothing."""
    try:
        if path.suffix.lower() == ".xlsx":
            # Cells keep their types, so that a number too long for one can be told from text.
            frame = pd.read_excel(path, dtype=object, na_filter=False).map(_text)
        else:
            frame = _read_text(path)
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
    frame.columns = [str(name).strip() for name in frame.columns]
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise DataError(
            f"{path}: several columns are called {name!r}", fix="give each a name of its own"
        )
    is_filled = (frame != "").any(axis=1)
    return frame.loc[is_filled].reset_index(drop=True)


def _read_text(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    delimiter = max(DELIMITERS, key=header.count)
    with warnings.catch_warnings():
        # Rows with more cells than the header: by default all columns would move one to the left.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path, sep=delimiter, dtype=str, encoding="utf-8-sig", na_filter=False, index_col=False
        )


def _text(cell: Any) -> str:
    """Return a cell of an XLSX file as the text that CSV would have."""
    if isinstance(cell, int | float) and abs(cell) >= 10**EXACT_DIGITS:
        return f"{cell:.{EXACT_DIGITS - 1}E}"
    return "" if cell is None else str(cell)


def _joined(
    left: pd.DataFrame, right: pd.DataFrame, left_name: str, right_name: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Add the right table's columns to the left one's rows; no row is lost or multiplied."""
    shared = [str(name) for name in left if name in right]
    if not shared:
        raise DataError(
            f"{right_name}: no column in common with {left_name} ({', '.join(map(str, right))})",
            fix="name the id alike in both",
        )
    problems = [
        problem
        for frame in (left, right)
        for name in shared
        for problem in id_problems(name, frame[name].tolist())
    ]
    left, right = left.copy(), right.drop_duplicates()
    for name in shared:
        left[name], right[name] = left[name].map(identifier), right[name].map(identifier)
    twice = right[right.duplicated(shared)]
    if len(twice):
        raise DataError(
            f"{right_name}: several rows for {_key_of(twice, shared)}, which would multiply the "
            f"rows of {left_name}",
            fix="keep one",
        )
    both = left.merge(right, on=shared, how="left", validate="m:1", indicator="_both")
    lone = both[both.pop("_both") == "left_only"]
    if len(lone):
        names = _key_of(lone, shared), left_name, right_name
        problems.append(_without_partner(len(lone), *names, level="error"))
    unused = right.merge(left[shared].drop_duplicates(), on=shared, how="left", indicator="_both")
    unused = unused[unused["_both"] == "left_only"]
    if len(unused):
        names = _key_of(unused, shared), right_name, left_name
        problems.append(_without_partner(len(unused), *names, level="warn"))
    return both.fillna(""), problems


def _without_partner(
    rows: int, example: str, name: str, other: str, *, level: Literal["error", "warn"]
) -> Problem:
    return Problem(
        rule="C04",
        level=level,
        message=(
            f"{rows} rows of {name} have none beside them in {other}, for example {example}; add "
            "them there, or remove them here"
        ),
    )


def _key_of(rows: pd.DataFrame, shared: Sequence[str]) -> str:
    """Return the key of the first row, for messages."""
    return ", ".join(f"{name} {rows[name].iloc[0]!r}" for name in shared)
