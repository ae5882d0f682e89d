"""A problem of the data, under the stable id of its rule (C01 to C20, S01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import Repr
from typing import Literal

from objectives.contract import DataError


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


class Undivided(DataError):
    """Images that cannot be divided into splits; the text is the first error of their listing.

    problems: found while the images were listed, and often the cause.
    why: the error about the splits.
    """

    def __init__(self, found: str, fix: str = "", *, problems: Sequence[Problem] = ()) -> None:
        self.problems, self.why = tuple(problems), DataError(found, fix)
        errors = [problem for problem in problems if problem.level == "error"]
        if errors:
            found, fix = f"{errors[0].message} ({errors[0].rule})", ""
        super().__init__(found, fix)


def shortened(text: str, longest: int = 60) -> str:
    """Return a text in quotes for a message, its middle left out where it is long."""
    short = Repr()
    short.maxstring = longest
    return short.repr(text)
