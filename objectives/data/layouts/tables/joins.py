"""Join one table's columns to the rows of another."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from objectives.contract import DataError
from objectives.data.alike import as_read, spelled
from objectives.data.layouts.tables.cell_rules import Cells, id_problems
from objectives.data.layouts.tables.cells import identifier
from objectives.data.problems import Problem

Key = tuple[str, ...]  # the cells of a row in the columns that both tables have


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
        first = _shown(_keys(twice, shared)[0], shared)
        raise DataError(
            f"{right_name}: several rows for {first}, which would multiply the rows of {left_name}",
            fix="keep one",
        )
    both = left.merge(right, on=shared, how="left", validate="m:1", indicator="_both")
    lone = _keys(both[both.pop("_both") == "left_only"], shared)
    unused = right.merge(left[shared].drop_duplicates(), on=shared, how="left", indicator="_both")
    others = _keys(unused[unused["_both"] == "left_only"], shared)
    if lone:
        found = f"{len(lone)} rows of {left_name} have none beside them in {right_name}"
        problems.append(_without_partner(found, lone, others, shared))
    if others:
        found = f"{len(others)} rows of {right_name} have none beside them in {left_name}"
        problems.append(replace(_without_partner(found, others, lone, shared), level="warn"))
    return both.fillna(""), problems


def _without_partner(
    found: str, keys: Sequence[Key], others: Sequence[Key], shared: Sequence[str]
) -> Problem:
    """Report the rows without a partner, and one of the other table whose key reads alike."""
    alike = {tuple(map(as_read, key)): key for key in others}
    pairs = ((key, alike.get(tuple(map(as_read, key)))) for key in keys)
    key, other = next((pair for pair in pairs if pair[1]), (keys[0], None))
    example = _shown(key, shared)
    hint = f" (there it is {_shown(other, shared)})" if other else ""
    return Problem(
        rule="C04",
        level="error",
        message=f"{found}, for example {example}{hint}; add them there, or remove them here",
    )


def _keys(rows: pd.DataFrame, shared: Sequence[str]) -> list[Key]:
    return list(zip(*(rows[name].tolist() for name in shared), strict=True))


def _shown(key: Key, shared: Sequence[str]) -> str:
    return ", ".join(f"{name} {spelled(cell)}" for name, cell in zip(shared, key, strict=True))
