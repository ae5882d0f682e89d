"""JSON of any length as text, piece by piece, so that nobody holds all of it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

PIECE = 2**16  # characters


def object_text(fields: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield the text of an object in pieces.

    fields: keys and values; a value that is an iterator becomes a list, each item on one line.
    """
    opening = "{\n  "
    for key, value in fields:
        yield f"{opening}{json.dumps(key)}: "
        if isinstance(value, Iterator):
            yield from list_text([json.dumps(item, allow_nan=False)] for item in value)
        else:
            yield json.dumps(value, indent=2, allow_nan=False).replace("\n", "\n  ")
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
