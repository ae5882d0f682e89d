"""The words that messages share."""

from collections.abc import Iterable, Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few and say how many more there are."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def counted(count: int, noun: str) -> str:
    """Give "1 image" or "1,200 images"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(words: Iterable[str]) -> str:
    """Give "a", "a and b" or "a, b and c", each word once, in order."""
    once = sorted(set(words))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def are(count: int) -> str:
    """Give the verb to a count."""
    return "is" if count == 1 else "are"


def percent_points(share: float) -> str:
    """Give a half-width as +-0.6 pt or +-12 pt."""
    points = 100 * share
    return f"+-{points:.1f} pt" if points < 2 else f"+-{points:.0f} pt"
