import hashlib
from collections import Counter

import numpy as np
import pytest

from objectives.contract import DataError
from objectives.data.manifest.splits import SPLITS, carve, check_classes


def cohort(groups: int = 60, images: int = 600) -> tuple[list[str], list[str]]:
    """Return labels and groups of an imbalanced set whose rare class lies in nine groups."""
    rng = np.random.default_rng(5)
    owners = rng.integers(0, groups, images)
    labels = rng.choice(["a", "b", "c"], images, p=[0.4, 0.5, 0.1]).tolist()
    for rare in range(9):
        labels[rare], owners[rare] = "rare", rare
    return labels, [f"slide {owner}" for owner in owners]


def test_groups_stay_whole_and_every_split_gets_every_class() -> None:
    labels, groups = cohort()
    splits = carve(labels, groups, SPLITS, seed=0)
    assert len(set(zip(groups, splits, strict=True))) == len(set(groups))
    assert len(set(zip(labels, splits, strict=True))) == 4 * 3


def test_train_keeps_about_five_sevenths() -> None:
    labels, groups = cohort()
    counts = Counter(carve(labels, groups, SPLITS, seed=0))
    assert counts["train"] == pytest.approx(600 * 5 / 7, rel=0.1)
    assert counts["val"] == pytest.approx(counts["test"], rel=0.3)


def test_the_split_is_the_same_on_every_machine() -> None:
    splits = carve(*cohort(), SPLITS, seed=17)
    digest = hashlib.sha256(" ".join(splits).encode()).hexdigest()
    assert digest.startswith("80c586c6ca51084a")


def test_another_seed_gives_another_split() -> None:
    labels, groups = cohort()
    assert carve(labels, groups, SPLITS, seed=0) != carve(labels, groups, SPLITS, seed=1)


def test_a_seed_of_any_size_will_do() -> None:
    labels, groups = cohort()
    assert set(carve(labels, groups, SPLITS, seed=-(2**70))) == set(SPLITS)


def test_a_class_in_three_groups_reaches_all_three_splits() -> None:
    labels = ["rare" if image < 3 else "common" for image in range(40)]
    groups = [str(image) if image < 3 else str(image % 10) for image in range(40)]
    for seed in range(20):
        splits = carve(labels, groups, SPLITS, seed)
        assert {split for label, split in zip(labels, splits, strict=True) if label == "rare"} == {
            *SPLITS
        }


def test_rare_classes_that_whole_groups_cannot_spread_are_refused() -> None:
    # Any two of the four groups share a class of three groups, so each needs a split of its own.
    labels = ["a", "a", "a", "b", "b", "b", "c", "c", "c"]
    groups = ["1", "2", "3", "1", "2", "4", "1", "3", "4"]
    with pytest.raises(DataError, match="no split into train, val, test was found"):
        carve(labels, groups, SPLITS, seed=0)


def test_a_class_that_cannot_be_learnt_is_named_with_the_fix() -> None:
    with pytest.raises(DataError, match=r"the train split has no image of 'b'; give every split"):
        check_classes(["a", "b"], ["train", "val"])
