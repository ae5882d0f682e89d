"""The table of a trial's answers by group, `groups.csv`: written by training, read by pages."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from objectives.contract import GROUPS, DataError
from objectives.groups.draws import MOST_DRAWN, Numbers
from objectives.groups.sums import GroupSums, rounded

COLUMNS = ("group", "class", "images", "right", "loss")
_MOST_CELLS = 2**23  # 200 MB; a larger table is none of ours
_DECIMALS = 7  # enough to read the rounded losses back to the last bit

Row = tuple[tuple[str, str], tuple[int, int, float]]


def table_rows(sums: GroupSums) -> Iterator[Sequence[Any]]:
    """Yield the header, then a row per group and class that has images; losses are sums."""
    yield COLUMNS
    for group, each in np.argwhere(sums.images > 0).tolist():
        yield (
            sums.groups[group],
            sums.classes[each],
            int(sums.images[group, each]),
            int(sums.right[group, each]),
            f"{sums.losses[group, each]:.{_DECIMALS}f}",
        )


def read_groups(text: str) -> GroupSums:
    """Read the text of `groups.csv`; DataError for another table.

    Groups and classes come in the order in which the table names them first.
    """
    try:
        header, *cells = csv.reader(io.StringIO(text, newline=""))
        rows = [_row(*each) for each in cells] if tuple(header) == COLUMNS else []
    except (ValueError, TypeError, csv.Error):
        rows = []
    groups = tuple(dict.fromkeys(group for (group, _), _ in rows))
    classes = tuple(dict.fromkeys(each for (_, each), _ in rows))
    if not 0 < len(groups) <= MOST_DRAWN or len(groups) * len(classes) > _MOST_CELLS:
        raise DataError(
            f"this is no {GROUPS} with the columns {', '.join(COLUMNS)}",
            fix="take the file that a finished trial of this version has kept",
        )
    images, right, losses = _filled(rows, groups, classes)
    return GroupSums(
        groups=groups, classes=classes, images=images, right=right, losses=rounded(losses)
    )


def _row(group: str, name: str, images: str, right: str, loss: str) -> Row:
    numbers = int(images), int(right), float(loss)
    if not (0 <= numbers[1] <= numbers[0] and numbers[0] and 0 <= numbers[2] < math.inf):
        raise ValueError(f"no counts and no loss: {numbers}")
    return (group, name), numbers


def _filled(rows: Sequence[Row], groups: Sequence[str], classes: Sequence[str]) -> Numbers:
    """Return the last three columns as an array (3, groups, classes), 0 where there is no row."""
    at_group, at_class = ({name: at for at, name in enumerate(each)} for each in (groups, classes))
    filled = np.zeros((3, len(groups), len(classes)))
    for (group, name), numbers in rows:
        filled[:, at_group[group], at_class[name]] = numbers
    return filled
