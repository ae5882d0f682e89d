"""C02: byte-identical images whose labels differ, or that stand in two splits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from objectives.data.checks.evidence import Evidence
from objectives.data.manifest.manifest import Row
from objectives.data.manifest.partition import Place
from objectives.data.problems import Problem
from objectives.data.wording import counted, listed, some

Copies = Sequence[Row]


def check_copies(evidence: Evidence) -> Iterator[Problem]:
    """C02: byte-identical images with different labels, or in different splits."""
    copies = find_copies(evidence.readable)
    if disagreeing := [each for each in copies if disagree(each)]:
        labels = listed(row.label for row in disagreeing[0])
        yield _problem(
            disagreeing,
            f"have different labels, {_paths_of(disagreeing[0])} for example {labels}; find out "
            "which is right, or let --fix leave them out",
        )
    if parted := [each for each in copies if not disagree(each) and len(_places(each)) > 1]:
        places = listed(map(str, _places(parted[0])))
        yield _problem(
            parted,
            f"stand in different splits, {_paths_of(parted[0])} for example in {places}; remove "
            "the copies, or let --fix see to it that no two splits share them",
        )


def find_copies(rows: Sequence[Row]) -> list[Copies]:
    """Find the sets of images whose bytes are the same."""
    by_digest: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_digest[row.sha1].append(row)
    return [each for sha1, each in by_digest.items() if sha1 and len(each) > 1]


def disagree(copies: Copies) -> bool:
    """Whether the copies of one image have different labels."""
    return len({row.label for row in copies}) > 1


def _problem(found: Sequence[Copies], message: str) -> Problem:
    paths = tuple(row.path for copies in found for row in copies)
    return Problem(
        rule="C02",
        level="error",
        message=f"{counted(len(paths), 'byte-identical image')} {message}",
        paths=paths,
        can_fix=True,
    )


def _places(copies: Copies) -> set[Place]:
    return {row.place for row in copies}


def _paths_of(copies: Copies) -> str:
    return some([row.path for row in copies])
