"""Numbers, texts and lists of other libraries as plain Python, which JSON keeps as they are."""

import os
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView
from decimal import Decimal
from enum import Enum
from itertools import islice
from numbers import Integral, Real
from types import NoneType
from typing import Any

from spaces.errors import StudyError

PLAIN = (bool, int, float, str, NoneType)
MOST_ITEMS = 100_000  # an iterator with more has no end


def as_plain(value: Any, name: str) -> Any:
    """Return a value with every number, text and list in it as plain Python.

    Takes NumPy's and pandas's numbers, arrays and series, tensors, fractions, decimals, members of
    an Enum, paths, ranges and iterators; what has no plain form is returned as it is.

    name: of the field that holds it.
    Raises StudyError for a text that cannot be stored.
    """
    if isinstance(value, str):
        _check_text(value, name)
    if type(value) in PLAIN:
        return value
    match value:
        case Enum():
            return as_plain(value.value, name)
        case str():
            return str.__str__(value)
        case os.PathLike():
            return as_plain(os.fspath(value), name)
        case Integral():
            return int(value)
        case Decimal() | Real():
            return _as_float(value)
        case Mapping():
            return {as_plain(key, name): as_plain(each, name) for key, each in value.items()}
        case list():
            return [as_plain(each, name) for each in value]
        case tuple():
            return tuple(as_plain(each, name) for each in value)
        case range() | KeysView() | ValuesView() | Iterator():
            return _as_tuple(value, name)
    return _from_array(value, name)


def _as_float(value: Any) -> float:
    """Return a number as a float: a 32-bit 1e-4 as 1e-4, its shortest form, not 9.99999975e-05."""
    if hasattr(value, "itemsize") and value.itemsize < 8:
        return float(str(value))
    return float(value)


def _as_tuple(values: Any, name: str) -> tuple[Any, ...]:
    items = tuple(islice(values, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise StudyError(f"{name} has more than {MOST_ITEMS} items", "give fewer")
    return tuple(as_plain(each, name) for each in items)


def _from_array(value: Any, name: str) -> Any:
    """Read what has NumPy's `tolist`: arrays, series, tensors and single values such as bool_."""
    if not hasattr(value, "tolist"):
        return value
    listed = value.tolist()
    if not isinstance(listed, list):
        return as_plain(listed, name) if type(listed) is not type(value) else value
    # Item by item where there are items of a type of its own, which have a shortest form.
    items: Sequence[Any] = list(value) if getattr(value, "ndim", 1) == 1 else listed
    return [as_plain(each, name) for each in items]


def _check_text(text: str, name: str) -> None:
    bad = next((letter for letter in text if letter == "\0" or "\ud800" <= letter <= "\udfff"), "")
    if bad:
        raise StudyError(f"{name} has the character {bad!r}, which cannot be stored", "remove it")
