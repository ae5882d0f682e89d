"""Join one table's columns to the rows of another."""

from collections.abc import Iterable, Iterator, Sequence
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
    problems = [
        problem
        for frame, table in zip((left, right), tables, strict=True)
        for name in shared
        for problem in id_problems(Cells(name, frame[name].tolist(), [table] * len(frame)))
    ]
    left, right = left.copy(), right.drop_duplicates()
    for name in shared:
        left[name], right[name] = left[name].map(identifier), right[name].map(identifier)
    _check_single(right, tables, shared)
    problems += _partner_problems(_keys(left, shared), _keys(right, shared), tables, shared)
    return left.merge(right, on=shared, how="left", validate="m:1").fillna(""), problems


def _check_single(right: pd.DataFrame, tables: tuple[str, str], shared: Sequence[str]) -> None:
    """Raise DataError where several rows of the right table have one key."""
    twice = right[right.duplicated(shared)]
    if len(twice):
        first = _shown(_keys(twice, shared)[0], shared)
        raise DataError(
            f"{tables[1]}: several rows for {first}, which would multiply the rows of {tables[0]}",
            fix="keep one",
        )


def _partner_problems(
    left: Sequence[Key], right: Sequence[Key], tables: tuple[str, str], shared: Sequence[str]
) -> Iterator[Problem]:
    """Report the rows of either table without one in the other (C04)."""
    lone, others = _not_among(right, left), _not_among(left, right)
    if lone:
        found = f"{len(lone)} rows of {tables[0]} have none beside them in {tables[1]}"
        yield _without_partner(found, lone, others, shared)
    if others:
        found = f"{len(others)} rows of {tables[1]} have none beside them in {tables[0]}"
        yield replace(_without_partner(found, others, lone, shared), level="warn")


def _not_among(known: Iterable[Key], keys: Iterable[Key]) -> list[Key]:
    among = set(known)
    return [key for key in keys if key not in among]


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
