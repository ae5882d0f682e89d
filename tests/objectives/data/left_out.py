"""The numbers of files and rows that are left out, as tests compare them."""

from collections.abc import Iterable

from objectives.data.left_out import LeftOut, count_by_reason


def numbers(left_out: Iterable[LeftOut]) -> dict[str, int]:
    """Return reason -> number."""
    return {reason: count.number for reason, count in count_by_reason(left_out).items()}
