"""Which groups stay together because they share an image, and which copies go instead."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from objectives.data.manifest.manifest import Row
from objectives.data.manifest.splits import FOLDS

LARGEST = 1 / FOLDS[0]  # of all images: no more fits into a validation or test split


def join_groups(
    rows: Sequence[Row], ties: Sequence[tuple[Row, Row]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Give the groups that must not part, each with the first of those it stays with.

    And the images to leave out, with the reason: where copies tie so many groups to one another
    that they would fill a split, the second image of each tie goes and the groups stay apart.
    """
    paths = {row.path for row in rows}
    between = [
        (one, other)
        for one, other in ties
        if one.group != other.group and {one.path, other.path} <= paths
    ]
    first_of = _components([row.group for row in rows], between)
    images = Counter(first_of[row.group] for row in rows)
    too_large = {first for first, count in images.items() if count > LARGEST * len(rows)}
    copies = {
        other.path: f"looks like {one.path}"
        for one, other in between
        if first_of[one.group] in too_large
    }
    sizes = Counter(first_of.values())
    joined = {
        group: first
        for group, first in first_of.items()
        if sizes[first] > 1 and first not in too_large
    }
    return joined, copies


def _components(groups: Sequence[str], ties: Sequence[tuple[Row, Row]]) -> dict[str, str]:
    """Give each group the first, by name, of those that ties lead to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(set(groups))
    number = {name: at for at, name in enumerate(names)}
    ends = [[number[row.group] for row in side] for side in zip(*ties, strict=True)] or [[], []]
    ones = np.ones(len(ties), dtype=np.int8)
    graph = coo_array((ones, ends), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return {name: names[first[at]] for name, at in zip(names, component.tolist(), strict=True)}
