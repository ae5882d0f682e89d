"""Stacked bars and whiskers, in percent across."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.marks.scale import Scale

GAP = 0.35  # percent, between two parts of a bar


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a stacked bar, in percent across; class and title are of its caller."""

    x: float
    width: float
    tone: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """An interval with its middle, in percent across.

    tone: the class of its colour.
    label: its numbers in words.
    """

    low: float
    middle: float
    high: float
    tone: str
    label: str

    @property
    def length(self) -> float:
        """The length of the interval."""
        return round(self.high - self.low, 2)


def stack(parts: Iterable[tuple[float, str, str]], total: float) -> list[Part]:
    """Return the parts of a stacked bar; those of nothing are left out.

    parts: the size, the tone and the title of each.
    total: the size of the whole bar.
    """
    stacked, x = [], 0.0
    for size, tone, title in parts:
        width = 100 * size / total if total > 0 else 0.0
        if width > 0:
            shown = max(width - GAP, min(width, GAP))
            stacked.append(Part(x=round(x, 2), width=round(shown, 2), tone=tone, title=title))
        x += width
    return stacked


def whisker(scale: Scale, bounds: Sequence[float], tone: str, label: str) -> Whisker:
    """Place an interval on a scale of percent.

    bounds: its low end, its middle and its high end.
    """
    low, middle, high = (round(scale.held(value), 2) for value in bounds)
    return Whisker(low=low, middle=middle, high=high, tone=tone, label=label)
