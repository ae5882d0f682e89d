"""Files, folders and rows that lie with the data and are not used, by reason."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from objectives.data.wording import counted_phrase


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Everything that is left out for one reason.

    reason: a phrase that follows a number over 1, as in "12 not in the table".
    paths: of the files and folders, or the table and row as in "meta.csv row 17".
    is_declared: whether the study says so, as it does of labels to skip.
    fix: how they can be used; "" for those that no study would use, such as texts and archives.
    is_meant: whether they are meant to be trained on, so that C18 is an error.
    wholes: the names of groups, classes or splits of which nothing is used.
    """

    reason: str
    paths: tuple[str, ...]
    is_declared: bool = False
    fix: str = ""
    is_meant: bool = False
    wholes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """The number of things that are left out for one reason, and the first of them."""

    number: int
    example: str


def count_by_reason(left_out: Iterable[LeftOut]) -> dict[str, Count]:
    """Count the things left out for each reason."""
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for each in left_out:
        paths[each.reason] += each.paths
    return {reason: Count(len(own), own[0]) for reason, own in paths.items() if own}


def lines(counts: Mapping[str, Count]) -> Iterator[str]:
    """Yield a line for a person per reason."""
    for reason, count in counts.items():
        example = count.example if count.example.isprintable() else ascii(count.example)
        yield f"left out: {counted_phrase(count.number, reason)}, for example {example}"
