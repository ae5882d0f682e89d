"""JSON of any length as text, piece by piece, so that nobody holds all of it."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from typing import Any

PIECE = 2**16  # characters


def object_text(fields: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield the text of an object in pieces.

    A moment is written in ISO 8601, a dataclass as an object, and NaN and infinities, which JSON
    does not have, as null.

    fields: keys and values; a value that is an iterator becomes a list, each item on one line.
    """
    opening = "{\n  "
    for key, value in fields:
        yield f"{opening}{json.dumps(key)}: "
        if isinstance(value, Iterator):
            yield from list_text([json_of(item)] for item in value)
        else:
            yield json_of(value, indent=2).replace("\n", "\n  ")
        opening = ",\n  "
    yield "\n}"


def list_text(items: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the text of a list in pieces.

    items: the pieces of each item's text.
    """
    opening = "[\n"
    for pieces in items:
        yield opening
        yield from pieces
        opening = ",\n"
    yield "[]" if opening == "[\n" else "\n]"


def joined(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the same text in larger pieces, since each one is written by itself."""
    collected: list[str] = []
    length = 0
    for piece in pieces:
        collected.append(piece)
        length += len(piece)
        if length >= PIECE:
            yield "".join(collected)
            collected, length = [], 0
    yield "".join(collected)


def json_of(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, as `object_text` writes those of an object."""
    try:
        return json.dumps(value, default=_for_json, allow_nan=False, indent=indent)
    except ValueError:  # a number that is not finite, which is rare
        return json.dumps(_finite(value), indent=indent)


def _for_json(value: Any) -> Any:
    """Return a value of a type that JSON does not have as one that it has."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Set):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else vars(value)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case str() | int() | None:
            return value
        case list() | tuple():
            return [_finite(each) for each in value]
        case Mapping():
            return {key: _finite(each) for key, each in value.items()}
    return _finite(_for_json(value))
