"""A problem of the data, under the stable id of its rule (C01 to C20, S01)."""

from dataclasses import dataclass
from reprlib import Repr
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem found in the data.

    rule: the id of the rule in the documentation.
    message: the finding and its place in the data; it ends with the fix.
    paths: the images concerned, or some of them.
    can_fix: whether `search check --fix` can mend it by another split, without changing an image.
    """

    rule: str
    level: Literal["error", "warn", "info"]
    message: str
    paths: tuple[str, ...] = ()
    can_fix: bool = False


def shortened(text: str, longest: int = 60) -> str:
    """Return a text in quotes for a message, its middle left out where it is long."""
    short = Repr()
    short.maxstring = longest
    return short.repr(text)
