"""Round numbers and round moments along an axis, with their texts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUS = "\N{MINUS SIGN}"
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LOG_STEPS = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
SMALLEST_PLAIN, LARGEST_PLAIN = -4, 5  # powers of ten; others are written with an exponent
MINUTE = 60
MOMENT_STEPS = (
    *(count * MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * 60 * MINUTE for count in (1, 2, 3, 6, 12)),
    *(count * 24 * 60 * MINUTE for count in (1, 2, 7, 14, 28, 91, 364)),
)
DAY_SECONDS = 24 * 60 * MINUTE


@dataclass(frozen=True)
class Tick:
    """A round number, or a moment in seconds since 1970, with its text."""

    value: float
    text: str


def round_ticks(low: float, high: float, most: int = 6) -> list[Tick]:
    """Return at most `most` round numbers from low to high, evenly spaced."""
    if not (math.isfinite(low) and math.isfinite(high)) or high < low:
        return []
    if high == low:
        return [_tick(low, abs(low) / 100)]
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    for step in (power * each for each in STEPS):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [_tick(index * step, step) for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, most: int = 6) -> list[Tick]:
    """Return round numbers from low to high, which are above 0, for a logarithmic axis.

    They are 1, 2, 5 or the like times a power of ten; evenly spaced ones where these are too few.
    """
    for digits in LOG_STEPS:
        found = _log_values(low, high, digits)
        if len(found) <= most:
            few = len(found) < min(3, most)
            return round_ticks(low, high, most) if few else [_tick(each, each) for each in found]
    decades = _log_values(low, high, (1,))
    return [_tick(each, each) for each in decades[:: math.ceil(len(decades) / most)]]


def moment_ticks(begin: datetime, end: datetime, most: int = 8) -> list[Tick]:
    """Return round moments between two, as hours or days of the time zone of `begin`."""
    span = (end - begin).total_seconds()
    step = next((each for each in MOMENT_STEPS if span / each < most), MOMENT_STEPS[-1])
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = math.ceil((begin - midnight).total_seconds() / step)
    count = max(0, math.floor((end - midnight).total_seconds() / step) - first + 1)
    moments = [midnight + timedelta(seconds=step * (first + index)) for index in range(count)]
    return [Tick(moment.timestamp(), _moment_text(moment, step)) for moment in moments]


def _log_values(low: float, high: float, digits: Sequence[int]) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    values = (float(f"{digit}e{power}") for power in powers for digit in digits)
    return [value for value in values if low <= value <= high]


def _tick(value: float, step: float) -> Tick:
    """Write a number with the digits that tell it from its neighbours, a step away."""
    power = math.floor(math.log10(step) + 1e-9) if step else 0
    finest = power - (round(step / 10.0**power, 3) % 1 > 0)  # 2.5 has one digit more
    size = math.floor(math.log10(abs(value)) + 1e-9) if abs(value) > step / 2 else power
    if finest >= SMALLEST_PLAIN and size <= LARGEST_PLAIN:
        text = f"{value:.{max(0, -finest)}f}"
    elif abs(value) <= step / 2:
        text = "0"
    else:
        digits, exponent = f"{value:.{max(0, size - finest)}e}".split("e")
        text = f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}e{int(exponent)}"
    return Tick(value, text.replace("-", MINUS))


def _moment_text(moment: datetime, step: int) -> str:
    is_midnight = (moment.hour, moment.minute) == (0, 0)
    return f"{moment:%-d %b}" if step >= DAY_SECONDS or is_midnight else f"{moment:%H:%M}"
