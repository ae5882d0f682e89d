"""Read the cells of a table as numbers and ids, and tell the missing ones and errors."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")
LARGEST = 3.4028234663852886e38  # of a network's numbers, which are float32
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
# Read as a group, the last of these make one patient of all whose name is not known.
SUSPECT_GROUPS = SUSPECT | frozenset(
    (
        *("none", "unknown", "unk", "unbekannt", "inconnu", "desconocido", "desconhecido"),
        *("anonymous", "anonymized", "anonymised", "anonym", "anon", "removed", "redacted"),
    )
)
# In English and in other languages (#BEZUG!, #NV), of LibreOffice (Err:502), and a cell too narrow.
ERROR = re.compile(r"#(DIV/0!|[^\W\d_]{2,}[!?]|N/[AD]|NV|#+)|Err:\d{3}")


def identifier(text: str) -> str:
    """Return an id as it was before a program took it for a number: 12 for 12.0."""
    text = text.strip()
    whole = WHOLE_FLOAT.fullmatch(text)
    return whole.group(1) if whole else text


def numbers(texts: Sequence[str]) -> list[float | None]:
    """Read the cells of a column as numbers, with a decimal point or comma; None for other texts.

    Where a comma may separate thousands, cells with one are no numbers. Nor are numbers that a
    network cannot hold.
    """
    has_decimals = not may_be_thousands(texts)
    return [_within(number(text) if has_decimals or "," not in text else None) for text in texts]


def may_be_thousands(texts: Sequence[str]) -> bool:
    """Whether cells are like 1,234, and none such as 9,7 shows that the comma is a decimal one.

    Among cells such as 1,234,567, which no decimal comma explains, 9,7 shows nothing.
    """
    with_comma = {text.strip() for text in texts if "," in text}
    thousands = set(filter(THOUSANDS.fullmatch, with_comma))
    decimals = set(filter(is_decimal_comma, with_comma))
    return bool(thousands) and (not thousands <= decimals or decimals <= thousands)


def is_decimal_comma(text: str) -> bool:
    """Whether a cell is a number with one comma, which may be a decimal one."""
    return bool(DECIMAL_COMMA.fullmatch(text.strip()))


def number(text: str) -> float | None:
    """Read a cell as a number of any size, with a decimal point or comma; None for other texts."""
    text = text.strip()
    if "_" in text:  # 5_10 is a code, and Python reads it as 510
        return None
    try:
        value = float(text.replace(",", ".") if is_decimal_comma(text) else text)
    except ValueError:
        return None
    return None if isnan(value) else value


def is_too_large(text: str) -> bool:
    """Whether a cell is a number that a network cannot hold."""
    value = number(text)
    return value is not None and _within(value) is None


def is_error(text: str) -> bool:
    """Whether a cell holds the error of a spreadsheet."""
    return bool(ERROR.fullmatch(text.strip()))


@dataclass(frozen=True)
class Missing:
    """Which cells count as missing; an empty one always does.

    declared: the words that the study says; None where it says nothing, and the usual ones count.
    usual: those of the usual words that the table has in columns where they count.
    """

    declared: tuple[str, ...] | None = None
    usual: tuple[str, ...] = ()

    def argument(self, words: Iterable[str]) -> str:
        """Return the argument of a declaration that makes further words missing values."""
        known = self.usual if self.declared is None else self.declared
        return f"missing={tuple(dict.fromkeys((*known, *words)))}"

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

    def is_suspect(self, text: str, *, of_groups: bool = False) -> bool:
        """Whether a cell looks like a missing value, is read as one, and the study says nothing."""
        words = SUSPECT_GROUPS if of_groups else SUSPECT
        return self.declared is None and text.strip().casefold() in words

    def is_error(self, text: str) -> bool:
        """Whether a cell holds a spreadsheet's error that the study does not declare as missing."""
        return is_error(text) and text.strip().casefold() not in self._words(())

    def _without(self, texts: Sequence[str], usual: frozenset[str] | tuple[str, ...]) -> list[str]:
        words = self._words(usual)
        gaps = {text for text in set(texts) if text.strip().casefold() in words or is_error(text)}
        return ["" if text in gaps else text for text in texts]

    def _words(self, usual: frozenset[str] | tuple[str, ...]) -> set[str]:
        declared = usual if self.declared is None else self.declared
        return {"", *(word.strip().casefold() for word in declared)}


def _within(value: float | None) -> float | None:
    return value if value is not None and abs(value) <= LARGEST else None
