"""Folders of classes and splits without an image that is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.manifest.manifest import read_manifest
from objectives.data.problems import Problem

MakeTree = Callable[..., DataSource]


def problems_with(source: DataSource, *files: str) -> list[Problem]:
    assert source.folder
    for name in files:
        path = source.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return list(ClassFolders(source).find_images().problems)


@pytest.mark.parametrize("name", ["1.heic", "1.nii.gz", "1.svs", "1.npy", ".1.png.icloud"])
def test_a_class_of_a_format_that_is_not_read_is_not_called_empty(
    class_folders: MakeTree, name: str
) -> None:
    (problem,) = problems_with(class_folders("a", "b"), f"c/{name}", f"c/p1/2{name}")
    assert (problem.rule, problem.level) == ("C18", "error")
    assert "no image of the folder 'c' is read" in problem.message
    assert problem.message.endswith(("PNG", "into tiles", "download them"))


def test_an_unread_class_is_named_where_it_leaves_only_one(class_folders: MakeTree) -> None:
    source = class_folders("a")
    problems_with(source, "b/1.heic")
    with pytest.raises(DataError, match=r"no image of the folder 'b' is read: .* \(C18\)$"):
        read_manifest(source)


def test_a_test_split_of_a_format_that_is_not_read_is_an_error(class_folders: MakeTree) -> None:
    found = problems_with(class_folders("train/a", "train/b"), "test/a/1.heic", "test/b/1.heic")
    assert {(each.rule, each.level) for each in found} == {("C18", "error")}


def test_a_split_without_images_is_told(class_folders: MakeTree) -> None:
    source = class_folders("train/a", "train/b")
    (Path(source.folder or "") / "test").mkdir()
    (problem,) = problems_with(source)
    assert (problem.rule, problem.level, problem.paths) == ("C08", "warn", ("test",))


@pytest.mark.parametrize("name", ["README.md", "docs/notes/a.txt", "all.zip"])
def test_a_folder_beside_the_splits_is_no_class(class_folders: MakeTree, name: str) -> None:
    assert not problems_with(class_folders("train/a", "train/b"), name)


def test_an_archive_one_folder_deeper_is_refused_with_its_folder(class_folders: MakeTree) -> None:
    for folders in (("Set/a", "Set/b"), ("Set/train/a", "Set/test/a", "Set/train/b", "Set/test/b")):
        with pytest.raises(DataError, match=r"all images lie in one folder, 'Set'.*--data .*/Set$"):
            ClassFolders(class_folders(*folders)).find_images()
