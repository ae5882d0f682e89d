"""What is left out is told where the user may miss it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]


def add(source: DataSource, *names: str, like: str = "") -> None:
    assert source.folder
    contents = next(source.folder.rglob("*.png")).read_bytes() if like else b"x"
    for name in names:
        path = source.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)


@pytest.mark.parametrize(
    "names",
    [
        ("README.md", "LICENSE", "all.zip", "meta.csv"),
        tuple(f"train/benign/{number}.txt" for number in range(30)),
        ("train/benign/p0_0.heic", "val/malignant/p31_63.dcm"),
        ("train/benign/1.heic",),
        ("README.pdf", "train/.notes"),
        ("train/benign/@eaDir/p0_0.png/thumb.png",),
    ],
)
def test_stray_files_break_no_rule(
    tree: DataSource, problems: Problems, names: tuple[str, ...]
) -> None:
    add(tree, *names)
    assert not problems(tree)


def test_more_than_a_hundredth_in_a_format_that_is_not_read_is_an_error(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, *(f"train/benign/{number}.heic" for number in range(2)))
    found = problems(tree)["C18"]
    assert (found.level, len(found.paths)) == ("error", 2)
    assert "beside 180 images in use, 2 are left out: 2 of a format that is not" in found.message
    assert found.message.endswith("convert them to PNG")


def test_a_whole_folder_of_a_format_that_is_not_read_is_an_error(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, "train/benign/p99/1.heic")
    assert "nothing is used of 'train/benign/p99'" in problems(tree)["C18"].message


def test_pictures_beside_the_classes_are_told_where_they_are_many(
    tree: DataSource, problems: Problems
) -> None:
    add(tree, "train/1.png", "train/2.png", like="png")
    found = problems(tree)["C18"]
    assert (found.level, found.paths) == ("warn", ("train/1.png", "train/2.png"))


@pytest.mark.parametrize("name", ["train/benign/.{}.png", "train/benign/{}.npy", "{}.png.part"])
def test_files_that_may_be_images_are_told_where_they_are_many(
    tree: DataSource, problems: Problems, name: str
) -> None:
    add(tree, *(name.format(number) for number in range(2)))
    assert problems(tree)["C18"].level == "warn"


def test_a_group_without_any_label_is_told(
    tree: DataSource, problems: Problems, tmp_path: Path
) -> None:
    source = DataSource(
        layout={"kind": "file_names", "label": r"^p\d*([02468])_", "group": r"^(p\d+)_"},
        folder=tree.folder,
        has_test=False,
    )
    found = problems(source)["C18"]
    assert found.level == "warn"
    assert "nothing is used of 'p" in found.message
