"""The numbers of files and rows that are left out, as tests compare them."""

from collections.abc import Iterable

from objectives.data.left_out import LeftOut


def numbers(left_out: Iterable[LeftOut]) -> dict[str, int]:
    """Return reason -> number."""
    return {each.reason: len(each.paths) for each in left_out}
