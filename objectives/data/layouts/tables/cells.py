"""Read the cells of a table as numbers and ids."""

import re
from collections.abc import Sequence
from math import isnan

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+")
LARGEST = 3.4028234663852886e38  # of a network's numbers, which are float32


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
    """Whether cells of a column are like 1,234, and no other shows that the comma is a decimal one.

    One such as 9,7 shows that, as 1,234,567 shows that the comma separates thousands.
    """
    with_comma = [text.strip() for text in texts if "," in text]
    thousands = [text for text in with_comma if THOUSANDS.fullmatch(text)]
    decimals = [text for text in with_comma if is_decimal_comma(text)]
    return any(text not in decimals for text in thousands) or (
        bool(thousands) and all(text in thousands for text in decimals)
    )


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


def _within(value: float | None) -> float | None:
    return value if value is not None and abs(value) <= LARGEST else None
