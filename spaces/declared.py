"""Check that every field of a declaration holds the type that its class declares.

A study is stored as JSON and must come back, and a text where a tuple belongs would be read letter
by letter.
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spaces.converted import Converted
from spaces.errors import StudyError
from spaces.plain import as_plain

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
