"""The errors that a user can fix, and the fix for a mistyped name."""

from collections.abc import Iterable
from difflib import get_close_matches


# spaces, objectives and storage do not import each other: each has this class of its own.
class UserError(Exception):
    """An error that a user can fix; its text is one line, `found; fix`.

    found: the fault and its place.
    fix: the next step, the last clause of the line; empty where `found` ends with it.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found, fix)  # both, so that a copy made by pickle has both
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class StudyError(UserError):
    """A study that cannot be used as written; the message names the place and ends with the fix."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the last clause of an error about an unknown name: the closest known one, or all."""
    names = sorted(known)
    close = closest(name, names)
    return f"did you mean {close!r}?" if close else f"known: {', '.join(names) or 'none'}"


def closest(name: str, known: Iterable[str]) -> str:
    """Return the known name of these initials, else the one spelt most like it; "" for none."""
    names = sorted(known)
    initials = {"".join(word[0] for word in each.split("_") if word): each for each in names}
    close = [initials[name]] if name in initials else get_close_matches(name, names, 1, 0.5)
    return close[0] if close else ""
