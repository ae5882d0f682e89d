"""What can be wrong with a study file."""

from collections.abc import Iterable
from difflib import get_close_matches


class StudyError(Exception):
    """A study that cannot be used as written; the message says where and ends with the fix."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the closing clause of an error about an unknown name: the closest known one, or all."""
    names = sorted(known)
    initials = {"".join(word[0] for word in each.split("_") if word): each for each in names}
    close = [initials[name]] if name in initials else get_close_matches(name, names, 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"
