"""What a new split can mend: a partition file beside the data, the images left as they are."""

import csv
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

from objectives.contract import DataError, DataSource
from objectives.data.checks.check import examine
from objectives.data.checks.copies import disagree, identical
from objectives.data.checks.evidence import Evidence
from objectives.data.checks.joining import join_groups
from objectives.data.checks.near_copies import Pair, pairs_alike, pairs_named
from objectives.data.layouts.listing import File, Found, Listing
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.partition import EXCLUDED, Place, divide
from objectives.data.problems import Problem
from objectives.files.whole import write_whole


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What the partition at `path` changes, in images; groups for `joined`.

    joined: groups that stay together with another from now on. is_new_split: whether all images
    were divided anew, test included, so that numbers from before do not compare.
    """

    path: Path
    moved: int
    excluded: int
    joined: int
    is_new_split: bool


def mend(
    source: DataSource,
    manifest: Manifest,
    problems: Sequence[Problem],
    out: Path,
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Mended:
    """Write the partition that `DataSource.partition` reads, whole or not at all.

    problems: what `check_data` gave for this manifest. Images that cannot be read, are over 100
    megapixels or have a copy with another label are excluded. Where that does not mend all that
    `can_fix`, or leaves a split without a class, the others are divided anew by the study's seed:
    groups stay whole, and groups that share an image or its like stay together, or lose the copy
    where they would be too many. Else they stay where they are. cache, progress: as for
    `check_data`. Raises DataError when no such split can be carved, or a class has no image left.
    """
    used = [row._replace(split=row.split or "train") for row in manifest.rows]
    used = [row for row in used if row.split != EXCLUDED]
    evidence = examine(source, replace(manifest, rows=tuple(used)), cache, progress)
    why = _useless(evidence)
    joined: Mapping[str, str] = {}
    is_new_split = any(each.can_fix and set(each.paths) - why.keys() for each in problems)
    is_new_split |= _loses_a_class(manifest.classes, used, _without(used, why))
    if is_new_split:
        joined, copies = join_groups(_without(used, why), list(_ties(evidence)))
        why |= copies
    kept = _without(used, why)
    _check_classes(manifest.classes, kept)
    places = _divided(source, manifest, kept, joined) if is_new_split else map(_place, kept)
    place_of = dict(zip((row.path for row in kept), places, strict=True))
    excluded = len(why)
    why |= {row.path: f"with {joined[row.group]}" for row in kept if row.group in joined}
    _write(out, manifest, place_of, why, progress)
    moved = sum(place_of.get(row.path, _place(row)) != _place(row) for row in manifest.rows)
    return Mended(
        path=out, moved=moved, excluded=excluded, joined=len(joined), is_new_split=is_new_split
    )


def _without(rows: Sequence[Row], paths: Container[str]) -> list[Row]:
    return [row for row in rows if row.path not in paths]


def _useless(evidence: Evidence) -> dict[str, str]:
    """Give the images that no split makes good, with the reason."""
    reasons = {}
    for path, facts in evidence.facts.items():
        if facts.error:
            reasons[path] = f"cannot be read: {facts.error}"
        elif facts.is_huge:
            reasons[path] = "over 100 megapixels"
    for copies in filter(disagree, identical(evidence.readable)):
        reasons |= {row.path: "has a copy with another label" for row in copies}
    return reasons


def _ties(evidence: Evidence) -> Iterator[Pair]:
    """Give the pairs of images that belong in one split, wherever they stand now."""
    yield from chain.from_iterable(map(pairwise, identical(evidence.readable)))
    yield from pairs_alike(evidence)
    yield from pairs_named(evidence.readable)


def _loses_a_class(classes: Sequence[str], used: Sequence[Row], kept: Sequence[Row]) -> bool:
    """Say whether a split or fold of the images used has not every class among those kept."""
    held: dict[Place, set[str]] = {_place(row): set() for row in used}
    for row in kept:
        held[_place(row)].add(row.label)
    return any(len(labels) < len(classes) for labels in held.values())


def _check_classes(classes: Sequence[str], kept: Sequence[Row]) -> None:
    if gone := sorted(set(classes) - {row.label for row in kept}):
        raise DataError(
            f"leaving out what no split makes good leaves no image of {', '.join(gone)}; fetch its "
            "images again, or leave the class out"
        )


def _divided(
    source: DataSource, manifest: Manifest, kept: Sequence[Row], joined: Mapping[str, str]
) -> list[Place]:
    """Carve every split or fold by the seed, as if the data gave none."""
    found = [
        Found(_file(row), row.label, joined.get(row.group, row.group), split="") for row in kept
    ]
    listing = Listing(
        found=found, classes=manifest.classes, skipped={}, sealed_test=manifest.sealed_test
    )
    return divide(listing, replace(source, partition=None))


def _file(row: Row) -> File:
    return File(row.path, row.bytes, row.modified_ns)


def _place(row: Row) -> Place:
    return Place(row.split, row.fold)


def _write(
    out: Path,
    manifest: Manifest,
    place_of: Mapping[str, Place],
    why: Mapping[str, str],
    progress: Callable[[], None],
) -> None:
    nowhere = Place(EXCLUDED)
    lines = [
        (row.path, *place_of.get(row.path, nowhere), why.get(row.path, "")) for row in manifest.rows
    ]

    def save(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", *Place._fields, "why"), *lines])

    write_whole(out, save, progress)
