"""The words that stand for a missing value, and the errors that spreadsheets leave in cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from objectives.data.layouts.tables.cells import number, numbers

# Of these a class or a patient may be called, so that they are told where they matter.
WORDS = frozenset(("nan", "na", "n/a", "null", "<na>"))
UNKNOWN = WORDS | {"unk", "unknown"}  # so PAD-UFES-20 and HAM10000 write a missing answer
# They look like a missing value, and are read as one only where the study says so.
SUSPECT = frozenset(
    (
        *("-", "--", "---", "\u2013", "\u2014", ".", "?", "#", "n.a.", "n.d.", "k.a.", "nat"),
        *("missing", "not available", "not applicable", "(null)", "<null>", "(blank)"),
    )
)
# In English and in other languages (#BEZUG!, #NV), of LibreOffice (Err:502), and a cell too narrow.
ERROR = re.compile(r"#(DIV/0!|[^\W\d_]{2,}[!?]|N/[AD]|NV|#+)|Err:\d{3}")


def is_error(text: str) -> bool:
    """Whether a cell holds the error of a spreadsheet."""
    return bool(ERROR.fullmatch(text.strip()))


@dataclass(frozen=True)
class Missing:
    """Which cells count as missing; an empty one always does.

    declared: the words that the study says; None where it says nothing, and the usual ones count.
    """

    declared: tuple[str, ...] | None = None

    def known(self, texts: Sequence[str]) -> list[str]:
        """Return the cells of labels, ids and groups, "" for a missing one."""
        return self._without(texts, WORDS)

    def answers(self, texts: Sequence[str]) -> list[str]:
        """Return the cells of metadata, "" for a missing or unknown one."""
        return self._without(texts, UNKNOWN)

    def numbers(self, texts: Sequence[str]) -> list[float | None]:
        """Return the cells of a column of numbers, None for a missing one and for other texts."""
        codes = {number(word) for word in self.declared or ()} - {None}
        return [None if each in codes else each for each in numbers(self.answers(texts))]

    def is_undeclared(self, text: str) -> bool:
        """Whether a cell holds a usual word for a missing value and the study says nothing."""
        return self.declared is None and text.strip().casefold() in WORDS

    def is_suspect(self, text: str) -> bool:
        """Whether a cell looks like a missing value, is read as one, and the study says nothing."""
        return self.declared is None and text.strip().casefold() in SUSPECT

    def is_error(self, text: str) -> bool:
        """Whether a cell holds a spreadsheet's error that the study does not declare as missing."""
        return is_error(text) and text.strip().casefold() not in self._words(())

    def _without(self, texts: Sequence[str], usual: frozenset[str] | tuple[str, ...]) -> list[str]:
        words = self._words(usual)
        return [
            "" if text.strip().casefold() in words or is_error(text) else text for text in texts
        ]

    def _words(self, usual: frozenset[str] | tuple[str, ...]) -> set[str]:
        declared = usual if self.declared is None else self.declared
        return {"", *(word.strip().casefold() for word in declared)}
