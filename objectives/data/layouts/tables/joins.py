"""Join one table's columns to the rows of another."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from objectives.contract import DataError
from objectives.data.layouts.tables.cell_rules import Cells, id_problems
from objectives.data.layouts.tables.cells import identifier
from objectives.data.problems import Problem


def join(
    left: pd.DataFrame, right: pd.DataFrame, tables: tuple[str, str], shared: Sequence[str]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Add the right table's columns to the left one's rows; no row is lost or multiplied.

    tables: the names of both.
    shared: the columns that both have.
    """
    left_name, right_name = tables
    problems = [
        problem
        for frame, table in ((left, left_name), (right, right_name))
        for name in shared
        for problem in id_problems(Cells(name, frame[name].tolist(), [table] * len(frame)))
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
