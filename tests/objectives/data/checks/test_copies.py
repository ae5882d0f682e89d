import shutil
from collections.abc import Callable

import pytest

from objectives.contract import DataSource
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]
ORIGINAL = "train/benign/p0_0.png"


def copy(source: DataSource, to: str) -> None:
    assert source.folder is not None
    shutil.copy(source.folder / ORIGINAL, source.folder / to)


def test_the_same_file_in_two_splits_is_named_and_is_no_near_copy(
    tree: DataSource, problems: Problems
) -> None:
    copy(tree, "test/benign/p900_0.png")
    found = problems(tree)
    assert set(found) == {"C02"}
    assert found["C02"].paths == ("test/benign/p900_0.png", ORIGINAL)
    assert "in test and train" in found["C02"].message


def test_the_same_file_with_two_labels_is_named_even_within_a_split(
    tree: DataSource, problems: Problems
) -> None:
    copy(tree, "train/malignant/p900_0.png")
    found = problems(tree)
    assert set(found) == {"C02"}
    assert "benign and malignant" in found["C02"].message


@pytest.mark.parametrize("to", ["train/benign/p0_900.png", "train/benign/p900_0.png"])
def test_a_copy_in_the_same_split_with_the_same_label_is_harmless(
    tree: DataSource, problems: Problems, to: str
) -> None:
    copy(tree, to)
    assert problems(tree) == {}


def test_empty_files_are_no_copies_of_each_other(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    for name in (ORIGINAL, "train/malignant/p0_1.png"):
        (tree.folder / name).write_bytes(b"")
    assert set(problems(tree)) == {"C05"}
