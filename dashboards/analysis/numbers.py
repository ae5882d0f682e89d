"""Numbers, shares and times as pages and reports write them."""

import math
from datetime import datetime

NONE = "–"
MINUS = "−"
THIN = "\N{NARROW NO-BREAK SPACE}"  # between a number and its unit
EXPONENT_BELOW = 0.01  # and from 10,000 on


def metric(value: float | None) -> str:
    """Format a metric with four significant digits."""
    if value is None or math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    digits, _, exponent = f"{value:#.4g}".rstrip(".").partition("e")
    return _minus(f"{digits}e{int(exponent)}" if exponent else digits)


def interval(low: float | None, high: float | None) -> str:
    """Format the bounds of an interval with three decimals; "" where one is missing."""
    if low is None or high is None or not math.isfinite(low + high):
        return ""
    return f"{_minus(f'{low:.3f}')} – {_minus(f'{high:.3f}')}"


def decimals(value: float | None, digits: int = 3) -> str:
    """Format a number with that many decimals."""
    return NONE if value is None or math.isnan(value) else _minus(f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 4) -> str:
    """Format a difference with its sign and that many decimals."""
    return NONE if value is None or math.isnan(value) else _minus(f"{value:+.{digits}f}")


def percent(share: float | None, decimals: int = 1) -> str:
    """Format a share of 1 in percent."""
    if share is None or not math.isfinite(share):
        return NONE
    return f"{_minus(f'{100 * share:.{decimals}f}')}{THIN}%"


def percent_interval(low: float | None, high: float | None) -> str:
    """Format the bounds of a share in percent, without the sign; "" where one is missing."""
    if low is None or high is None or not math.isfinite(low + high):
        return ""
    return f"{100 * low:.1f} – {100 * high:.1f}"


def short(value: object) -> str:
    """Format a hyperparameter's value: a float with two digits (2.6e−4), a toggle as on or off."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if EXPONENT_BELOW <= abs(value) < 10_000:
        return _minus(f"{float(f'{value:.2g}'):g}" if abs(value) < 100 else f"{value:.0f}")
    digits, exponent = f"{value:.1e}".split("e")
    return _minus(f"{digits.removesuffix('.0')}e{int(exponent)}")


def exact(value: object) -> str:
    """Format a hyperparameter's value with all digits that a person would write (1e−5, 0.0125)."""
    if not isinstance(value, float) or not math.isfinite(value):
        return short(value)
    digits, _, exponent = f"{value:.12g}".partition("e")
    return _minus(f"{digits}e{int(exponent)}" if exponent else digits)


def whole(count: float) -> str:
    """Format a count with commas between thousands."""
    return f"{count:,.0f}"


def span(seconds: float | None) -> str:
    """Format a duration as 40 s, 12 min, 3 h 05 min or 2 d 4 h."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds}{THIN}s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}{THIN}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{THIN}h {minutes:02}{THIN}min"
    return f"{hours // 24}{THIN}d {hours % 24}{THIN}h"


def hours(seconds: float) -> str:
    """Format seconds in hours, with the digits that matter."""
    value = seconds / 3600
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def clock(moment: datetime | None) -> str:
    """Format a moment as the local time of this machine."""
    return moment.astimezone().strftime("%H:%M") if moment else NONE


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: 1 trial, 2 trials."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
