"""Check that every field of a declaration holds the type that its class declares.

A study is stored as JSON and must come back, and a text where a tuple belongs would be read letter
by letter. Numbers, texts and lists of other libraries become plain Python, which JSON keeps.
"""

import math
import os
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from itertools import islice
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spaces.converted import Converted
from spaces.errors import StudyError

PLAIN = (bool, int, float, str, NoneType)
MOST_ITEMS = 100_000  # an iterator with more has no end
VALUE = bool | int | float | str | None  # of a hyperparameter; the rules check it further
WORDS: Mapping[Any, str] = {
    VALUE: "text, a number, True, False or None",
    str: "text",
    int: "a whole number",
    float: "a number that is finite",
    bool: "True or False",
    NoneType: "None",
}


def make_plain(declared: Any) -> None:
    """Replace the values in the fields of a dataclass, frozen or not, by plain Python."""
    for each in fields(declared):
        name = f"{type(declared).__name__}: {each.name}"
        object.__setattr__(declared, each.name, as_plain(getattr(declared, each.name), name))


def check_types(declared: Any) -> None:
    """Make the fields of a dataclass plain; StudyError for the first that holds another type."""
    make_plain(declared)
    hints = get_type_hints(type(declared))
    for each in fields(declared):
        value, hint = getattr(declared, each.name), hints[each.name]
        if not _fits(value, hint):
            raise StudyError(
                f"{type(declared).__name__}: {each.name} is {value!r}", f"give it {_words(hint)}"
            )


def _fits(value: Any, hint: Any) -> bool:
    inner = get_args(hint)
    if get_origin(hint) in (Converted, Literal):  # checked where they are converted or compared
        return True
    if isinstance(hint, UnionType) and hint != VALUE:
        return any(_fits(value, each) for each in inner)
    if get_origin(hint) is tuple:
        return isinstance(value, list | tuple) and all(_fits(each, inner[0]) for each in value)
    if get_origin(hint) is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items()
        )
    if hint is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value)
    return isinstance(value, hint) and (hint is not int or not isinstance(value, bool))


def _words(hint: Any) -> str:
    inner = get_args(hint)
    if hint in WORDS:
        return WORDS[hint]
    if isinstance(hint, UnionType):
        return " or ".join(map(_words, inner))
    if get_origin(hint) is tuple:
        return f"a tuple, each item {_words(inner[0])}"
    if get_origin(hint) is Mapping:
        return f"a mapping from {_words(inner[0])} to {_words(inner[1])}"
    return f"a {hint.__name__}"


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
