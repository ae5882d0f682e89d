"""`groups.csv`: small, and read back to the last bit."""

import csv
import io

import numpy as np
import pytest

from objectives.contract import DataError
from objectives.groups.draws import MOST_DRAWN, Grouping
from objectives.groups.sums import GroupSums, sum_by_group
from objectives.groups.table import read_groups, table_rows

CLASSES = ["naevus", 'mole, "atypical"', "良性"]


def sums_of(images: int = 600, groups: int = 37) -> GroupSums:
    random = np.random.default_rng(3)
    return sum_by_group(
        Grouping.of([f"slide, {each}" for each in random.integers(groups, size=images)]),
        CLASSES,
        labels=np.arange(images) % 3,
        is_right=random.random(images) < 0.8,
        losses=random.exponential(size=images),
    )


def written(sums: GroupSums) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(table_rows(sums))
    return text.getvalue()


def test_the_table_is_read_back_to_the_last_bit() -> None:
    sums = sums_of()

    again = read_groups(written(sums))

    assert (again.groups, again.classes) == (sums.groups, sums.classes)
    for name in ("images", "right", "losses"):
        assert np.array_equal(getattr(again, name), getattr(sums, name))


def test_a_row_is_a_group_and_a_class_that_it_has() -> None:
    sums = sum_by_group(
        Grouping.of(["b", "a", "b", "b"]),
        ["x", "y"],
        labels=np.array([0, 1, 0, 1]),
        is_right=np.array([True, False, False, True]),
        losses=np.array([0.5, 2.0, 1.25, 0.125]),
    )

    assert [*csv.reader(written(sums).splitlines())] == [
        ["group", "class", "images", "right", "loss"],
        ["a", "y", "1", "0", "2.0000000"],
        ["b", "x", "2", "1", "1.7500000"],
        ["b", "y", "1", "1", "0.1250000"],
    ]


def test_181_slides_of_four_classes_fit_into_a_few_kilobytes() -> None:
    random = np.random.default_rng(3)
    sums = sum_by_group(
        Grouping.of([f"{each:06}-000001_01_20180504-multires" for each in range(181)] * 16),
        ["Benign", "Gleason 3", "Gleason 4", "Gleason 5"],
        labels=random.integers(4, size=181 * 16),
        is_right=random.random(181 * 16) < 0.7,
        losses=random.exponential(size=181 * 16),
    )

    assert len(written(sums)) < 50_000


HEADER = "group,class,images,right,loss\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "group,class,images,right\na,x,1,1\n",
        HEADER,
        HEADER + "a,x,one,1,0.5\n",
        HEADER + "a,x,1\n",
        HEADER + "a,x,1,2,0.5\n",
        HEADER + "a,x,0,0,0.5\n",
        HEADER + "a,x,1,1,nan\n",
        HEADER + "".join(f"{number},x,1,1,0.5\n" for number in range(MOST_DRAWN + 1)),
        HEADER + "".join(f"{number % 2000},{number},1,1,0.5\n" for number in range(5000)),
        "\0",
    ],
    ids=[
        *("empty", "other-columns", "no-rows", "words", "short-row", "more-right-than-images"),
        *("no-images", "no-loss", "too-many-groups", "too-many-cells", "binary"),
    ],
)
def test_another_table_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match=r"no groups\.csv with the columns group, class, .*; take"):
        read_groups(text)
