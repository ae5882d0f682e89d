"""Splits that folders give, in the forms that people give them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.layouts.given_splits import refuse_unclear_splits
from objectives.data.layouts.readers import open_layout
from tests.objectives.conftest import write_image

MakeTree = Callable[..., DataSource]


def splits_by_class(source: DataSource) -> set[tuple[str, str]]:
    return {(each.label, each.split) for each in ClassFolders(source).find_images().found}


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("train_images", "val_images", "test_images"),
        ("training_set", "validation_set", "test_set"),
        ("01_train", "02_dev", "03_holdout"),
        ("ISIC_Training_Input", "ISIC_Validation_Input", "ISIC_Test_Input"),
        ("trn", "validate", "tst"),
    ],
)
def test_a_split_word_with_more_around_it_is_the_split(
    class_folders: MakeTree, train: str, val: str, test: str
) -> None:
    source = class_folders(*(f"{top}/{name}" for top in (train, val, test) for name in "ab"))
    assert splits_by_class(source) == {
        (name, split) for name in "ab" for split in ("train", "val", "test")
    }


def test_splits_within_the_classes_are_splits(class_folders: MakeTree) -> None:
    source = class_folders("benign/train", "benign/test", "other/Training", "other/testing")
    listing = ClassFolders(source).find_images()
    assert listing.classes == ("benign", "other")
    assert {(each.label, each.split) for each in listing.found} == {
        (name, split) for name in listing.classes for split in ("train", "test")
    }


@pytest.mark.parametrize(
    "folders",
    [
        ("valid", "invalid"),
        ("test", "rest"),
        ("training shoe", "running shoe"),
        ("TR", "TS"),
        ("evaluable", "latest"),
    ],
)
def test_classes_that_sound_like_splits_stay_classes(
    class_folders: MakeTree, folders: tuple[str, ...]
) -> None:
    assert splits_by_class(class_folders(*folders)) == {(name, "") for name in folders}


def test_a_class_called_test_within_the_splits_stays_a_class(class_folders: MakeTree) -> None:
    source = class_folders("train/test", "train/rest", "val/test", "val/rest")
    assert splits_by_class(source) == {
        (name, split) for name in ("rest", "test") for split in ("train", "val")
    }


@pytest.mark.parametrize(
    ("folders", "says"),
    [
        (("train_cats", "train_dogs", "test_cats"), "name a split and more; make folders train"),
        (("train/a", "train/b", "eval/a", "eval/b"), r"'eval' lies where 'train' lies; rename it"),
        (("a", "b", "test/a", "test/b"), r"'a' lies in 'test', and another one beside it; move"),
        (("a/train", "a/test", "b"), r"b/.*: outside the train, val and test folders beside it"),
        (("x/train/a", "x/test/b", "y/train/a"), r"'a' lies below the splits of 2 folders; put"),
    ],
)
def test_splits_that_cannot_be_told_are_refused(
    class_folders: MakeTree, folders: tuple[str, ...], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        ClassFolders(class_folders(*folders)).find_images()


def test_two_folders_of_one_split_are_told(class_folders: MakeTree) -> None:
    source = class_folders("train/a", "Training/b", "test/a")
    (problem,) = ClassFolders(source).find_images().problems
    assert (problem.rule, problem.level) == ("C09", "warn")
    assert "'Training' and 'train' are all read as train" in problem.message


def test_file_names_find_the_splits_in_folders_of_any_depth(tmp_path: Path) -> None:
    for number, name in enumerate(("set/train_images/0.png", "set/test_images/1.png")):
        write_image(tmp_path / name, seed=number)
    layout = {"kind": "file_names", "label": r"(\d)\.png$"}
    found = open_layout(DataSource(layout=layout, folder=tmp_path)).find_images().found
    assert [(each.label, each.split) for each in found] == [("1", "test"), ("0", "train")]


@pytest.mark.parametrize(
    "names", [("train_0.png", "test_1.png"), ("b/p1-train.png", "b/p2-val.png")]
)
def test_splits_in_file_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"no folder does; move the images into folders called"):
        refuse_unclear_splits(names)


@pytest.mark.parametrize(
    "names", [("train_0.png", "train_1.png"), ("train_0.png", "test_1.png", "p_1.png")]
)
def test_file_names_of_one_split_or_of_none_are_read(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        write_image(tmp_path / name)
    layout = {"kind": "file_names", "label": r"_(\d)\.png$"}
    found = open_layout(DataSource(layout=layout, folder=tmp_path)).find_images().found
    assert [each.split for each in found] == [""] * len(names)


@pytest.mark.parametrize("name", ["test", "Test", "validation", "holdout"])
def test_a_folder_of_a_split_beside_others_is_told(class_folders: MakeTree, name: str) -> None:
    source = class_folders(name, "a", "b")
    (told,) = ClassFolders(source).find_images().problems
    assert (told.rule, told.level) == ("C09", "warn")
    layout = {"kind": "file_names", "label": r"_(\d)\.png$"}
    (refused,) = open_layout(DataSource(layout=layout, folder=source.folder)).find_images().problems
    assert (refused.rule, refused.level) == ("C09", "error")
    assert "its images are trained on; move the other images into" in refused.message


@pytest.mark.parametrize(
    ("folders", "says"),
    [
        (("train/train/a", "test/test/a"), "the folders of the splits lie twice.*; move what lies"),
        (("fold1/a", "fold1/b", "fold2/a", "fold2/b"), "look like parts of the data, .*folds=k"),
        (("development/a", "development/b", "test/a", "test/b"), "look like parts of the data"),
        (("tr/a", "tr/b", "te/a", "te/b"), "look like parts of the data"),
        (("part_1/a", "part_1/b", "part_2/a", "part_2/b"), "'part_1' and 'part_2' look like parts"),
        (("a", "b", "Dataset/a", "Dataset/B"), "'Dataset' lies beside the classes .*; move it out"),
        (("train/a", "train/b", "train/train/a", "train/train/b"), "'train' lies beside the class"),
        (("c/d/e/a", "c/d/e/b"), "all images lie in one folder, 'c/d/e', .* give --data .*/c/d/e$"),
        (
            ("train/c/a", "train/c/b", "test/c/a", "test/c/b"),
            "one folder, 'c', .*; move the folders",
        ),
        (
            ("train", "car"),
            "'train' is read as a split; .* a class needs another name than 'train'",
        ),
    ],
)
def test_folders_above_the_classes_are_no_classes(
    class_folders: MakeTree, folders: tuple[str, ...], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        ClassFolders(class_folders(*folders)).find_images()


def test_classes_may_have_the_same_folders_within(class_folders: MakeTree) -> None:
    source = class_folders("type 1/left", "type 1/right", "type 2/left", "type 2/right")
    listing = ClassFolders(source).find_images()
    assert (listing.classes, listing.problems) == (("type 1", "type 2"), ())


def test_classes_that_are_numbers_may_hold_patients_that_are_numbers(
    class_folders: MakeTree,
) -> None:
    assert not ClassFolders(class_folders("1/1", "2/1", "3/1", "3/2")).find_images().problems


def test_classes_may_hold_patients_of_the_same_numbers(class_folders: MakeTree) -> None:
    cases = [f"{name}/case{number:02d}" for name in "ab" for number in range(10)]
    assert not ClassFolders(class_folders(*cases)).find_images().problems


@pytest.mark.parametrize(
    ("tops", "inner", "level"),
    [
        (("Berlin", "Paris"), ("benign", "malignant"), "warn"),
        (("train/left", "train/right"), ("healthy", "ill"), "warn"),
        (tuple(f"{number:05d}" for number in range(10)), ("0", "1"), "error"),
    ],
)
def test_sites_and_patients_above_the_classes_are_told(
    class_folders: MakeTree, tops: tuple[str, ...], inner: tuple[str, ...], level: str
) -> None:
    source = class_folders(*(f"{top}/{name}" for top in tops for name in inner))
    (told,) = ClassFolders(source).find_images().problems
    assert (told.rule, told.level) == ("C09", level)
    assert "if those are the classes, put them on top" in told.message


@pytest.mark.parametrize(("column", "second"), [("", "test"), ("train", "train")])
def test_a_table_without_splits_takes_those_of_the_folders(
    tmp_path: Path, column: str, second: str
) -> None:
    for number, name in enumerate(("train/0.png", "test/1.png")):
        write_image(tmp_path / name, seed=number)
    (tmp_path / "meta.csv").write_text(f"image,label,set\n0,a,{column}\n1,b,{column}\n")
    layout = {"kind": "table", "table": "meta.csv", "path": "image", "label": "label"}
    source = DataSource(layout={**layout, "split": "set" if column else None}, folder=tmp_path)
    found = open_layout(source).find_images().found
    assert {each.label: each.split for each in found} == {"a": "train", "b": second}
