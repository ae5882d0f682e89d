import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from objectives.contract import DataSource
from objectives.data.problems import Problem
from tests.objectives.data.checks.conftest import photograph

Problems = Callable[[DataSource], dict[str, Problem]]
ORIGINAL = "train/benign/p0_0.png"


def original(source: DataSource) -> Image.Image:
    assert source.folder is not None
    return Image.open(source.folder / ORIGINAL)


def add(source: DataSource, path: str, image: Image.Image) -> Path:
    assert source.folder is not None
    image.save(source.folder / path)
    return source.folder / path


def test_a_mirrored_copy_of_another_patient_in_another_split_is_named(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, "val/benign/p900_0.png", ImageOps.mirror(original(tree)))
    found = problems(tree)
    assert set(found) == {"C03"}
    assert found["C03"].level == "warn"
    assert found["C03"].paths == (ORIGINAL, "val/benign/p900_0.png")


def test_a_near_copy_in_the_same_split_is_harmless(tree: DataSource, problems: Problems) -> None:
    add(tree, "train/benign/p900_0.png", ImageOps.mirror(original(tree)))
    assert problems(tree) == {}


@pytest.mark.parametrize("mark", [" (1)", " - Copy", " - Copy (2)", "_aug", "_aug3", "_flip"])
def test_a_name_that_tells_a_copy_is_believed_whatever_it_shows(
    tree: DataSource, problems: Problems, mark: str
) -> None:
    copy = f"test/benign/p0_0{mark}.png"
    add(tree, copy, photograph(901))
    found = problems(tree)
    assert set(found) == {"C01", "C03"}  # its group is the original's, too
    assert found["C03"].paths == (copy, ORIGINAL)


def test_files_that_were_numbered_from_the_start_are_no_copies(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, "train/benign/p901_benign (1).png", photograph(901))
    add(tree, "test/benign/p902_benign (2).png", photograph(902))
    assert problems(tree) == {}


def test_two_augmented_images_tell_of_one_that_is_gone(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, "train/benign/p901_x_aug1.png", photograph(901))
    add(tree, "test/benign/p901_x_aug2.png", photograph(902))
    assert set(problems(tree)) == {"C01", "C03"}


def test_the_same_file_under_the_name_of_a_copy_is_reported_once(
    tree: DataSource, problems: Problems
) -> None:
    assert tree.folder is not None
    shutil.copy(tree.folder / ORIGINAL, tree.folder / "test/benign/p0_0 - Copy.png")
    assert set(problems(tree)) == {"C01", "C02"}
