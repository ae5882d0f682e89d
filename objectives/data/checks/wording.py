"""Phrases that the messages of several rules share."""

from collections.abc import Iterable, Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few and say how many more there are."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def counted(count: int, noun: str) -> str:
    """Return "1 image" or "1,200 images"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(words: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c", each word once, sorted."""
    once = sorted(set(words))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def are(count: int) -> str:
    """Return "is" for 1 and "are" for any other count."""
    return "is" if count == 1 else "are"


def percent_points(share: float) -> str:
    """Return a half-width, a share from 0 to 1, as "+-0.6 pt" or "+-12 pt"."""
    points = 100 * share
    return f"+-{points:.1f} pt" if points < 2 else f"+-{points:.0f} pt"
