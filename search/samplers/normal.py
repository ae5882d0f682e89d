"""The normal distribution, by SciPy: loaded at the first use, which draws at random never reach."""

from typing import Any


def ndtr(values: Any) -> Any:
    """Return the share of the normal distribution below each value."""
    from scipy.special import ndtr  # takes .3 s to load

    return ndtr(values)


def ndtri(shares: Any) -> Any:
    """Return the value below which each share of the normal distribution lies."""
    from scipy.special import ndtri

    return ndtri(shares)
