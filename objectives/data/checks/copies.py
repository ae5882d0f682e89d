"""C02: the same file twice, where one copy gives the other away or contradicts it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from objectives.data.checks.evidence import Evidence, place_of
from objectives.data.checks.wording import counted, listed, some
from objectives.data.manifest.manifest import Row
from objectives.data.problems import Problem

Copies = Sequence[Row]


def check_copies(evidence: Evidence) -> Iterator[Problem]:
    """C02: byte-identical images with different labels, or in different splits."""
    copies = identical(evidence.readable)
    if disagreeing := [each for each in copies if disagree(each)]:
        first, paths = disagreeing[0], _paths(disagreeing)
        yield Problem(
            rule="C02",
            level="error",
            message=(
                f"{counted(len(paths), 'byte-identical image')} have different labels, "
                f"{some([row.path for row in first])} for example {listed(row.label for row in first)}"
                "; find out which is right, or let --fix leave them out"
            ),
            paths=paths,
            can_fix=True,
        )
    if parted := [each for each in copies if not disagree(each) and len(_places(each)) > 1]:
        first, paths = parted[0], _paths(parted)
        yield Problem(
            rule="C02",
            level="error",
            message=(
                f"{counted(len(paths), 'byte-identical image')} stand in different splits, "
                f"{some([row.path for row in first])} for example in {listed(_places(first))}; remove "
                "the copies, or let --fix see to it that no two splits share them"
            ),
            paths=paths,
            can_fix=True,
        )


def identical(rows: Sequence[Row]) -> list[Copies]:
    """Give the sets of images whose bytes are the same."""
    by_digest: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_digest[row.sha1].append(row)
    return [each for sha1, each in by_digest.items() if sha1 and len(each) > 1]


def disagree(copies: Copies) -> bool:
    """Say whether the copies of one image have different labels."""
    return len({row.label for row in copies}) > 1


def _places(copies: Copies) -> set[str]:
    return set(map(place_of, copies))


def _paths(copies: Sequence[Copies]) -> tuple[str, ...]:
    return tuple(row.path for each in copies for row in each)
