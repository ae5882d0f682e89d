"""Find groups that must stay together because they share an image, or the copies to leave out."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from objectives.data.manifest.manifest import Row
from objectives.data.manifest.splits import FOLDS

LARGEST = 1 / FOLDS[0]  # of all images: the share of a validation or test split


def join_groups(
    rows: Sequence[Row], ties: Sequence[tuple[Row, Row]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Find the groups that must stay together, and the copies to leave out.

    Where copies tie so many groups to one another that they would fill a split, the second image
    of each tie is left out and the groups stay apart.

    ties: pairs of images that must not be in two splits.

    Returns the first group, by name, that each group stays with; and the reason for each image that
    is left out, by path.
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
    """Find the first group, by name, that ties connect each group to."""
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
