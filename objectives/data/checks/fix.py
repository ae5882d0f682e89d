"""`--fix`: write a new split without the faults that a split can avoid; no image is changed."""

import csv
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

from objectives.contract import DataError, DataSource
from objectives.data.checks.check import examine
from objectives.data.checks.copies import disagree, find_copies
from objectives.data.checks.evidence import Evidence
from objectives.data.checks.joining import join_groups
from objectives.data.checks.near_copies import Pair, find_look_alikes, find_namesakes
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.partition import EXCLUDED, PLACE_COLUMNS, Place, carve_places
from objectives.data.problems import Problem
from objectives.files.whole import write_whole


@dataclass(frozen=True, kw_only=True)
class Mended:
    """The changes that a new partition makes.

    path: the partition file.
    moved: number of images in another split than before.
    excluded: number of images left out because no split can mend them.
    joined: number of groups that stay together with another group from now on.
    is_new_split: whether all images were divided anew, test included, so that new numbers do not
        compare with old ones.
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
    """Write the partition file that `DataSource.partition` reads, whole or not at all.

    Images that cannot be read, are over 100 megapixels, have no content or have a copy with another
    label are excluded. Where that mends everything that a split can mend, the others keep their
    places. Otherwise, and where a split would lose a class, they are divided anew by the study's
    seed: groups stay whole, and groups that share an image or a near-copy stay together. Where they
    would be too large together, the copy is left out instead.

    problems: as `check_data` found them in this manifest.
    out: the partition file.
    cache, progress: as for `check_data`.

    Raises DataError when no such split can be carved, or when a class has no image left.
    """
    used = [row._replace(split=row.split or "train") for row in manifest.rows]
    used = [row for row in used if row.split != EXCLUDED]
    evidence = examine(source, replace(manifest, rows=tuple(used)), cache, progress)
    reasons = _useless(evidence)
    joined: Mapping[str, str] = {}
    is_new_split = any(each.can_fix and set(each.paths) - reasons.keys() for each in problems)
    is_new_split |= _loses_a_class(manifest.classes, used, _without(used, reasons))
    if is_new_split:
        joined, copies = join_groups(_without(used, reasons), list(_find_ties(evidence)))
        reasons |= copies
    excluded = len(reasons)
    kept = _without(used, reasons)
    _check_classes(manifest.classes, kept)
    places = [row.place for row in kept]
    if is_new_split:
        places = _divide_anew(source, manifest, kept, joined)
    place_of = dict(zip((row.path for row in kept), places, strict=True))
    reasons |= {row.path: f"with {joined[row.group]}" for row in kept if row.group in joined}
    rows = [
        (row.path, *place_of.get(row.path, Place(EXCLUDED)), reasons.get(row.path, ""))
        for row in manifest.rows
    ]
    _write(out, rows, progress)
    return Mended(
        path=out,
        moved=sum(place_of.get(row.path, row.place) != row.place for row in manifest.rows),
        excluded=excluded,
        joined=len(joined),
        is_new_split=is_new_split,
    )


def _without(rows: Sequence[Row], paths: Container[str]) -> list[Row]:
    return [row for row in rows if row.path not in paths]


def _useless(evidence: Evidence) -> dict[str, str]:
    """Find the images that no split can mend; return the reason by path."""
    reasons = {}
    for path, facts in evidence.facts.items():
        if facts.error:
            reasons[path] = f"cannot be read: {facts.error}"
        elif facts.is_huge:
            reasons[path] = "over 100 megapixels"
        elif facts.blank:
            reasons[path] = f"is {facts.blank}"
    for copies in filter(disagree, find_copies(evidence.readable)):
        reasons |= {row.path: "has a copy with another label" for row in copies}
    return reasons


def _find_ties(evidence: Evidence) -> Iterator[Pair]:
    """Find the pairs of images that belong in one split, whatever split they are in now."""
    yield from chain.from_iterable(map(pairwise, find_copies(evidence.readable)))
    yield from find_look_alikes(evidence)
    yield from find_namesakes(evidence.readable)


def _loses_a_class(classes: Sequence[str], used: Sequence[Row], kept: Sequence[Row]) -> bool:
    """Whether a split or fold of the images used lacks a class among the images kept."""
    held: dict[Place, set[str]] = {row.place: set() for row in used}
    for row in kept:
        held[row.place].add(row.label)
    return any(len(labels) < len(classes) for labels in held.values())


def _check_classes(classes: Sequence[str], kept: Sequence[Row]) -> None:
    if gone := sorted(set(classes) - {row.label for row in kept}):
        raise DataError(
            f"leaving out the images that no split can mend leaves no image of {', '.join(gone)}",
            fix="fetch its images again, or leave the class out",
        )


def _divide_anew(
    source: DataSource, manifest: Manifest, kept: Sequence[Row], joined: Mapping[str, str]
) -> list[Place]:
    """Carve every split or fold by the seed, as if the data gave none."""
    rows = [row._replace(group=joined.get(row.group, row.group), split="") for row in kept]
    return carve_places(rows, source, bool(manifest.sealed_test))


def _write(out: Path, rows: Sequence[Sequence[object]], progress: Callable[[], None]) -> None:
    def save(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", *PLACE_COLUMNS, "why"), *rows])

    write_whole(out, save, progress)
