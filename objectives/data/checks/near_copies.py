"""C03: images that look the same or are called each other's copies, across splits."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from objectives.data.checks.evidence import Evidence, place_of
from objectives.data.checks.likeness import alike
from objectives.data.checks.wording import counted, listed
from objectives.data.manifest.manifest import Row
from objectives.data.problems import Problem

Pair = tuple[Row, Row]

# What file managers and augmentation scripts append. A number in parentheses tells a copy only
# where the file without it is there, too: many sets are numbered that way from the start.
NUMBERED = re.compile(r"^(.+?) ?\(\d+\)$")
MARKED = re.compile(
    r"^(.+?)(?: - copy(?: \(\d+\))?|[_-](?:copy|aug(?:mented)?|[hv]?flip(?:ped)?)[_-]?\d*)$",
    re.IGNORECASE,
)


def check_near_copies(evidence: Evidence) -> Iterator[Problem]:
    """C03: an image and its re-encoded, mirrored, turned or resized copy in two splits."""
    seen, named = _Parted(), _Parted()
    seen.add(pairs_alike(evidence))
    named.add(pairs_named(evidence.readable))
    example = seen.example or named.example
    if example is None:
        return
    first, second = example
    counts = (
        *([f"{counted(seen.count, 'pair')} of images that look the same"] if seen.count else []),
        *([f"{counted(named.count, 'pair')} named like copies"] if named.count else []),
    )
    yield Problem(
        rule="C03",
        level="warn",
        message=(
            f"{' and '.join(counts)} stand in different splits, {first.path} and {second.path} for "
            f"example in {listed((place_of(first), place_of(second)))}; remove the copies, or let "
            "--fix see to it that no two splits share them"
        ),
        paths=tuple(sorted(seen.paths | named.paths)),
        can_fix=True,
    )


@dataclass
class _Parted:
    """How many near-copies stand in different splits, and which images they are.

    The pairs themselves are not kept: ten thousand blank tiles make fifty million.
    """

    count: int = 0
    example: Pair | None = None
    paths: set[str] = field(default_factory=set)

    def add(self, pairs: Iterable[Pair]) -> None:
        for one, other in pairs:
            # The same file twice is C02's.
            if one.sha1 != other.sha1 and place_of(one) != place_of(other):
                self.count += 1
                self.example = self.example or (one, other)
                self.paths |= {one.path, other.path}


def pairs_alike(evidence: Evidence) -> Iterator[Pair]:
    """Give the pairs of images of different groups that look the same."""
    rows = evidence.readable
    for pairs in alike([evidence.facts[row.path].frequencies for row in rows]):
        for one, other in pairs.tolist():
            if rows[one].group != rows[other].group:
                yield rows[one], rows[other]


def pairs_named(rows: Sequence[Row]) -> Iterator[Pair]:
    """Give each image that is named like a copy with the one it seems to be a copy of."""
    originals: dict[tuple[str, str], Row] = {}
    marked: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    numbered: list[tuple[tuple[str, str], Row]] = []
    for row in rows:
        stem = PurePosixPath(row.path).stem
        if match := MARKED.match(stem):
            marked[row.label, match[1]].append(row)
        elif match := NUMBERED.match(stem):
            numbered.append(((row.label, match[1]), row))
        else:
            originals[row.label, stem] = row
    for name, copies in marked.items():
        first = originals.get(name, copies[0])
        yield from ((first, copy) for copy in copies if copy is not first)
    yield from ((originals[name], copy) for name, copy in numbered if name in originals)
