"""C01 and C04: each image belongs to one split, and so does its whole group."""

from collections import defaultdict
from collections.abc import Iterator

from objectives.data.checks.evidence import Evidence
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import Row
from objectives.data.manifest.partition import read_partition
from objectives.data.problems import Problem
from objectives.data.wording import are, counted, listed, some


def check_groups(evidence: Evidence) -> Iterator[Problem]:
    """C01: a group in two splits or folds, so that held-out patients are trained on."""
    members: defaultdict[str, list[Row]] = defaultdict(list)
    for row in evidence.rows:
        members[row.group].append(row)
    parted = {
        group: rows for group, rows in members.items() if len({row.place for row in rows}) > 1
    }
    if parted:
        group, rows = next(iter(parted.items()))
        paths = tuple(row.path for rows in parted.values() for row in rows)
        places = listed(str(row.place) for row in rows)
        yield Problem(
            rule="C01",
            level="error",
            message=(
                f"{counted(len(parted), 'group')} of {len(members):,} "
                f"{'stands' if len(parted) == 1 else 'stand'} in more than one split, {group!r} "
                f"for example in {places} ({counted(len(paths), 'image')} in all); keep each in "
                "one: --fix writes a stratified group split"
            ),
            paths=paths,
            can_fix=True,
        )


def check_lone_images(evidence: Evidence) -> Iterator[Problem]:
    """C01, as a warning: no two images share a group, so that a patient may stand in two splits.

    The causes are a missing declaration of the group, or a pattern that matches too much.
    """
    source, rows = evidence.source, evidence.rows
    if not open_layout(source).takes_group or len({row.group for row in rows}) < len(rows):
        return
    declared = source.layout.get("group")
    found = f"by group {declared!r} no two images share one" if declared else "no group is declared"
    yield Problem(
        rule="C01",
        level="warn",
        message=(
            f"{found}, so images of one patient may stand in two splits; "
            f"{'correct' if declared else 'declare'} the study's group, unless each is another "
            "patient"
        ),
    )


def check_partition(evidence: Evidence) -> Iterator[Problem]:
    """C04: images that the partition does not name, and names in it that belong to no image."""
    partition = evidence.source.partition
    if partition is None:
        return
    rows = evidence.manifest.rows
    unplaced = tuple(row.path for row in rows if not row.split)
    gone = sorted(read_partition(partition).keys() - {row.path for row in rows})
    for paths, found in ((unplaced, "in no split of"), (gone, "not here but in")):
        if paths:
            yield Problem(
                rule="C04",
                level="error",
                message=(
                    f"{counted(len(paths), 'image')} {are(len(paths))} {found} {partition} "
                    f"({some(paths)}); bring the images back, or let --fix write a new split"
                ),
                paths=tuple(paths),
                can_fix=True,
            )
