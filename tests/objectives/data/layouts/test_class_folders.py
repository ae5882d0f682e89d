import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.manifest.manifest import read_manifest
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers

MakeTree = Callable[..., DataSource]


def folder_of(source: DataSource) -> Path:
    assert source.folder is not None
    return source.folder


@pytest.mark.parametrize(
    "names",
    [
        ("Benign", "Gleason 3", "Gleason 4", "Gleason 5-Single Cells"),
        ("Nevus, common", "Nevus, dysplastic"),
    ],
)
def test_names_with_spaces_and_commas_are_kept(
    class_folders: MakeTree, names: tuple[str, ...]
) -> None:
    listing = ClassFolders(class_folders(*names)).find_images()
    assert listing.classes == names
    assert Counter(each.label for each in listing.found) == dict.fromkeys(names, 8)
    assert not listing.problems


def test_a_group_is_read_off_the_file_name(class_folders: MakeTree) -> None:
    source = class_folders("Benign", "Gleason 5-Single Cells", group=r"^(.+?)\.tif")
    groups = {each.group for each in ClassFolders(source).find_images().found}
    assert groups == {f"slide{image:02d}" for image in range(8)}


def test_a_group_that_is_not_in_the_name_is_read_off_the_path(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / "ab"[number % 2] / f"pat{number}" / "0.jpg", seed=number)
    source = DataSource(layout={"kind": "class_folders", "group": r"(pat\d+)/"}, folder=tmp_path)
    groups = [each.group for each in ClassFolders(source).find_images().found]
    assert groups == ["pat0", "pat2", "pat1", "pat3"]


def test_two_spellings_of_a_class_are_reported_where_they_leave_a_split_without_it(
    class_folders: MakeTree,
) -> None:
    source = class_folders("train/a", "train/B", "test/a", "test/b")
    with pytest.raises(DataError, match=r"give them one name.* \(C09\)$"):
        read_manifest(source)


@pytest.mark.parametrize("kept", [("train",), ()])
def test_images_to_test_on_alone_are_never_trained_on(
    class_folders: MakeTree, kept: tuple[str, ...]
) -> None:
    source = class_folders("val/a", "val/b", "test/a", "test/b")
    for name in kept:
        (folder_of(source) / name).mkdir()
    with pytest.raises(DataError, match=r"images in test and val and none in train; bring"):
        ClassFolders(source).find_images()


def test_a_name_that_is_no_text_is_refused(class_folders: MakeTree) -> None:
    source = class_folders("a", "b")
    Path(os.fsdecode(bytes(folder_of(source)) + b"/a/caf\xe9.png")).write_bytes(b"x")
    with pytest.raises(DataError, match=r"caf.*png: a name that is not UTF-8, .* rename it"):
        ClassFolders(source).find_images()


def test_a_pipe_that_is_called_an_image_is_not_waited_for(class_folders: MakeTree) -> None:
    source = class_folders("a", "b")
    os.mkfifo(folder_of(source) / "a" / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png: a pipe or device, not an image; remove it$"):
        ClassFolders(source).find_images()


@pytest.mark.parametrize("where", [".ipynb_checkpoints", "train/.ipynb_checkpoints"])
def test_a_hidden_class_folder_is_named_and_left_out(class_folders: MakeTree, where: str) -> None:
    prefix = where.removesuffix(".ipynb_checkpoints")
    source = class_folders(f"{prefix}anemic", f"{prefix}healthy", where)
    listing = ClassFolders(source).find_images()
    assert listing.classes == ("anemic", "healthy")
    assert len(listing.found) == 16
    (problem,) = listing.problems
    assert (problem.rule, problem.level, problem.paths) == ("C08", "error", (where,))
    assert problem.message.endswith("remove it")


def test_an_empty_class_folder_is_named_and_shifts_no_index(class_folders: MakeTree) -> None:
    source = class_folders("a", "c")
    (folder_of(source) / "b").mkdir()
    (folder_of(source) / "b" / "notes.txt").touch()
    listing = ClassFolders(source).find_images()
    assert listing.classes == ("a", "c")
    assert [(each.rule, each.paths) for each in listing.problems] == [("C08", ("b",))]


def test_hidden_files_and_what_lies_inside_a_class_are_no_problem(class_folders: MakeTree) -> None:
    source = class_folders("a", "b", "a/.thumbs")
    (folder_of(source) / ".DS_Store").touch()
    (folder_of(source) / "a" / "._1.png").touch()
    listing = ClassFolders(source).find_images()
    assert (len(listing.found), listing.problems) == (16, ())


def test_hidden_folders_beside_the_splits_are_no_classes(class_folders: MakeTree) -> None:
    assert not ClassFolders(class_folders("train/a", "train/b", ".git")).find_images().problems


@pytest.mark.parametrize("other", ["anemic", "Anemic ", "A nemic"])
def test_classes_that_collide_by_case_or_spaces_are_named(
    class_folders: MakeTree, other: str
) -> None:
    (problem,) = ClassFolders(class_folders("Anemic", other, "healthy")).find_images().problems
    assert (problem.rule, problem.level) == ("C09", "error")
    assert repr(other) in problem.message
    assert "give them one name" in problem.message


def test_images_outside_every_class_are_counted(class_folders: MakeTree) -> None:
    source = class_folders("a", "b")
    write_image(folder_of(source) / "overview.png")
    assert numbers(ClassFolders(source).find_images().left_out) == {"outside the class folders": 1}


def test_classes_that_are_equal_to_the_eye_are_one_where_the_study_says_so(
    class_folders: MakeTree,
) -> None:
    source = class_folders("benign", "benign\u200b", "other")
    layout = {**source.layout, "merge_alike": True}
    listing = ClassFolders(DataSource(layout=layout, folder=source.folder)).find_images()
    assert Counter(each.label for each in listing.found) == {"benign": 16, "other": 8}
    assert not listing.problems
