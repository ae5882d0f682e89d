"""Classes of too few groups are told at once, with what they are and how to go on."""

from typing import Any

import pytest

from objectives.contract import DataError
from objectives.data.layouts.listing import File, Found
from objectives.data.manifest.few_groups import check_enough_groups


def images(label: str, *groups: str) -> list[Found]:
    return [
        Found(File(f"{label}/{at}.png", 1, 1), label, group, "") for at, group in enumerate(groups)
    ]


COMMON = images("nevus", *"abcdef")


def refusal(*few: Found, **layout: Any) -> str:
    with pytest.raises(DataError) as error:
        check_enough_groups([*COMMON, *few], 3, layout)
    return str(error.value)


def test_classes_with_a_group_for_every_split_are_enough() -> None:
    check_enough_groups([*COMMON, *images("wart", *"abc")], 3, {})


def test_a_class_in_two_groups_is_refused_with_its_groups_and_an_image() -> None:
    said = refusal(*images("rare", "g1", "g1", "g2"), label="dx")
    assert "class 'rare' has 3 images of only 2 groups ('g1', 'g2'), rare/0.png for" in said
    assert "skip=('rare',) in the study's data declaration" in said


def test_every_such_class_is_named_with_the_class_of_nearly_its_name() -> None:
    said = refusal(*images("nevsu", "g1"), *images("2025-03-01", "g1"), label="dx")
    assert "class 'nevsu' has 1 image of only 1 group ('g1')" in said
    assert "nevsu/0.png for example, and may be 'nevus' misspelt" in said
    assert "class '2025-03-01' has 1 image" in said
    assert "skip=('2025-03-01', 'nevsu')" in said


def test_skip_keeps_its_labels_and_is_given_that_of_a_named_class() -> None:
    said = refusal(*images("rare", "g1"), label="dx", names={"7": "rare"}, skip=["none"])
    assert "skip=('7', 'none')" in said


def test_class_folders_which_have_no_skip_are_moved() -> None:
    assert "move what is no class out of the data folder" in refusal(*images("rare", "g1"))


def test_of_many_such_classes_some_are_named_and_the_label_is_doubted() -> None:
    few = [each for number in range(20) for each in images(f"p{number}", "g1")]
    said = refusal(*few, label="dx")
    assert "and 8 more classes; see that the study's label is the one you mean" in said
