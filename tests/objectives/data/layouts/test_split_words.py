"""The words for splits, with the additions that people make."""

import pytest

from objectives.data.layouts.split_words import split_of, splits_of

TRAIN = "train Train TRAINING training_set 01_train train-images TrainImages trn trainset imagesTr"
VAL = "val valid validation validate val-set val2017 dev tuning Validation_1 val_data"
TEST = "test Testing test1 tst holdout hold-out held_out X_test testset test\u200b imagesTs"
NONE = (
    "invalid benign TR TS contest latest stress-test test-positive eval train_test_split untrained"
)


@pytest.mark.parametrize(
    ("words", "split"), [(TRAIN, "train"), (VAL, "val"), (TEST, "test"), (NONE, "")]
)
def test_a_folder_means_the_split_that_it_is_named_after(words: str, split: str) -> None:
    assert {word: split_of(word) for word in words.split()} == dict.fromkeys(words.split(), split)


def test_splits_may_share_the_rest_of_their_names() -> None:
    names = ["ISIC_2019_Training_Input", "ISIC_2019_Test_Input"]
    assert splits_of(names) == dict(zip(names, ("train", "test"), strict=True))


def test_splits_that_share_no_rest_are_none() -> None:
    assert splits_of(["train_cats", "test_dogs"]) == {"train_cats": "", "test_dogs": ""}
