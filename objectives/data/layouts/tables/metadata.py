"""The metadata of each row, and what makes a column hard to learn from (C13)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from objectives.data.alike import alike, as_read, merged, spelled
from objectives.data.layouts.classes import same_answers
from objectives.data.layouts.listing import Column
from objectives.data.layouts.tables.cell_rules import word_problems
from objectives.data.layouts.tables.number_rules import number_problems
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem


def columns_of_metadata(layout: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of metadata by name: a mapping loses its order in a database."""
    return tuple(Column(*each) for each in sorted((layout.get("metadata") or {}).items()))


def read_metadata(sheet: Sheet, layout: Mapping[str, Any]) -> list[tuple[float | str | None, ...]]:
    """Read the values of each row, in the order of the columns by name."""
    columns = columns_of_metadata(layout)
    cells = [_values(sheet, each, bool(layout.get("merge_alike"))) for each in columns]
    return list(zip(*cells, strict=True)) if cells else [()] * len(sheet.splits)


def _values(sheet: Sheet, column: Column, merges: bool) -> Sequence[float | str | None]:
    if column.kind == "number":
        return sheet.missing.numbers(sheet.column(column.name))
    texts = [text.strip() for text in sheet.answers(column.name)]
    is_merged = merges and column.kind == "category"
    return [text or None for text in (merged(texts) if is_merged else texts)]


def metadata_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find cells that are not what they seem, and columns without a value."""
    merges = bool(layout.get("merge_alike"))
    for column in columns_of_metadata(layout):
        cells = sheet.cells(column.name)
        if column.kind == "number":
            yield from number_problems(cells, sheet.missing)
        elif column.kind == "category":
            values = _values(sheet, column, merges)
            yield from word_problems(cells, sheet.missing)
            yield from alike_problems(column.name, (str(each) for each in values if each))
        if not any(text.strip() for text in sheet.answers(column.name)):
            yield _of_no_value(column.name)


def alike_problems(column: str, names: Iterable[str]) -> Iterator[Problem]:
    """Tell of the names in a column that read alike, and of a letter that another begins with."""
    known = dict.fromkeys(names)
    for each in (*alike(known), *_initials(known), *same_answers(tuple(known))):
        yield Problem(
            rule="C13",
            level="warn",
            message=(
                f"column {column!r}: {' and '.join(map(spelled, each))} may be one, and are told "
                "apart; spell them alike, or say merge_alike=True in the study's Table(...)"
            ),
        )


def _initials(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the single letters with the only other name that begins with each: M and male."""
    words = {as_read(name): name for name in names}
    pairs = []
    for letter in (word for word in words if len(word) == 1 and word.isalpha()):
        others = [word for word in words if word != letter and word.startswith(letter)]
        if len(others) == 1:
            pairs.append((words[letter], words[others[0]]))
    return pairs


def _of_no_value(column: str) -> Problem:
    return Problem(
        rule="C13",
        level="warn",
        message=(
            f"column {column!r}: no cell holds a value, so nothing can be learned from it; correct "
            "it, or leave it out of the study's metadata"
        ),
    )
