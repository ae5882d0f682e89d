"""C03: near-copies of an image, known by their look or their name, in another split."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from objectives.data.checks.evidence import Evidence
from objectives.data.checks.likeness import find_alike
from objectives.data.manifest.manifest import Row
from objectives.data.problems import Problem
from objectives.data.wording import counted, listed

Pair = tuple[Row, Row]

# The endings that file managers and augmentation scripts append. A number in parentheses marks a
# copy only where the file without it exists as well: many data sets are numbered that way.
NUMBERED = re.compile(r"^(.+?) ?\(\d+\)$")
MARKED = re.compile(
    r"^(.+?)(?: - copy(?: \(\d+\))?|[_-](?:copy|aug(?:mented)?|[hv]?flip(?:ped)?)[_-]?\d*)$",
    re.IGNORECASE,
)


def check_near_copies(evidence: Evidence) -> Iterator[Problem]:
    """C03: an image and its re-encoded, mirrored, turned or resized copy in two splits."""
    seen, named = _Parted(), _Parted()
    seen.add(find_look_alikes(evidence))
    named.add(find_namesakes(evidence.readable))
    example = seen.example or named.example
    if example is None:
        return
    counts = []
    if seen.count:
        counts.append(f"{counted(seen.count, 'pair')} of images that look the same")
    if named.count:
        counts.append(f"{counted(named.count, 'pair')} named like copies")
    first, second = example
    places = listed(str(row.place) for row in example)
    yield Problem(
        rule="C03",
        level="warn",
        message=(
            f"{' and '.join(counts)} stand in different splits, {first.path} and {second.path} "
            f"for example in {places}; remove the copies, or let --fix see to it that no two "
            "splits share them"
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
            # C02 reports byte-identical files.
            if one.sha1 != other.sha1 and one.place != other.place:
                self.count += 1
                self.example = self.example or (one, other)
                self.paths |= {one.path, other.path}


def find_look_alikes(evidence: Evidence) -> Iterator[Pair]:
    """Find the pairs of near-duplicate images in different groups."""
    rows = evidence.readable
    for pairs in find_alike([evidence.facts[row.path].frequencies for row in rows]):
        for one, other in pairs.tolist():
            if rows[one].group != rows[other].group:
                yield rows[one], rows[other]


def find_namesakes(rows: Sequence[Row]) -> Iterator[Pair]:
    """Find the pairs of an image and a second one whose name says that it is a copy of it."""
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
