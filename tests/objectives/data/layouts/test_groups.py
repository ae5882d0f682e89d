"""Groups in file names: empty ones, and one patient in two spellings."""

import pytest

from objectives.contract import DataError
from objectives.data.layouts.groups import read_groups
from objectives.data.problems import Problem

PATTERN = r"^(.*?)_\d+\.png$"


def read(*names: str, merge_alike: bool = False) -> tuple[list[str], tuple[Problem, ...]]:
    paths = [f"{name}_{number}.png" for number, name in enumerate(names)]
    return read_groups(paths, {"group": PATTERN, "merge_alike": merge_alike})


def test_images_whose_group_is_empty_are_groups_of_their_own_and_told() -> None:
    groups, (problem,) = read("p1", "", "p1", "")
    assert groups == ["p1", "_1.png", "p1", "_3.png"]
    assert (problem.rule, problem.level) == ("C01", "warn")
    assert problem.paths == ("_1.png", "_3.png")
    assert "in 2 of 4 file names, '_1.png' for example" in problem.message


@pytest.mark.parametrize(("one", "other"), [("P07", "p07"), ("7", "007"), ("ä", "a\u0308")])
def test_two_spellings_of_a_group_are_told_and_kept_apart(one: str, other: str) -> None:
    groups, (problem,) = read(one, other, "q1")
    assert groups == [one, other, "q1"]
    assert (problem.rule, problem.level) == ("C17", "error")
    assert problem.paths == (f"{one}_0.png", f"{other}_1.png")
    assert f"{one!r} and {other!a}" in problem.message
    assert problem.message.endswith("merge_alike=True in the study's data declaration")


def test_merged_groups_take_the_most_frequent_name() -> None:
    assert read("P07", "p07", "p07", merge_alike=True) == (["p07", "p07", "p07"], ())


def test_two_spellings_of_a_group_are_one_where_the_study_says_so() -> None:
    assert read("p07", "P07", "q1", merge_alike=True) == (["P07", "P07", "q1"], ())


def test_without_a_group_pattern_no_names_are_compared() -> None:
    paths = ["a/1.png", "A/1.png"]
    assert read_groups(paths, {"group": None}) == (paths, ())


def test_a_pattern_that_fits_some_names_is_not_read_off_the_folders_of_others() -> None:
    paths = ["class_a/p1_0.png", "class_a/x.png"]
    with pytest.raises(DataError, match=r"1 of 2 files give no group by .* 'class_a/x.png'"):
        read_groups(paths, {"group": r"^(\w+?)_"})
