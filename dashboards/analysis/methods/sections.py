"""Text and tables as plain data, for a page, a note and a report to write out each in its way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class Code:
    """A name or a value of the program: a parameter, a file, a digest."""

    tag: ClassVar = "code"  # the element of HTML

    text: str


@dataclass(frozen=True)
class Strong:
    """Words that a reader must not miss."""

    tag: ClassVar = "strong"

    text: str


# Texts of a study and of its data may hold anything; whoever writes them out escapes them.
Phrase: TypeAlias = "Sequence[str | Code | Strong]"


@dataclass(frozen=True)
class Table:
    """Rows under headings; a cell is a phrase."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Phrase]]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a text under a title: sentences, and a table below them.

    name: of its place in a page, as in an address.
    """

    name: str
    title: str
    sentences: Sequence[Phrase] = ()
    table: Table | None = None


def and_so_on(words: Iterable[str]) -> str:
    """Return words as a list: a, b and c."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last
