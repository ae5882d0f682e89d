from itertools import pairwise

import numpy as np
import pytest

from objectives.contract import RecipeError
from objectives.data.manifest.subsample import proportional

GLEASON = np.repeat(np.arange(4), (19_695, 26_816, 8_461, 815))


def test_every_class_keeps_its_share_rounded_as_seats_are() -> None:
    # Shares of 1,000: 353.04, 480.69, 151.67, 14.61. Rounded they are 1,001, and by Webster's
    # method the class gives way whose last claim is the weakest: 480.5 / 26,816.
    chosen = proportional(GLEASON, 1000, seed=0)
    assert np.bincount(GLEASON[chosen]).tolist() == [353, 480, 152, 15]


def test_a_class_too_rare_for_a_share_has_one_all_the_same() -> None:
    labels = np.array([0] * 5000 + [1] + [2] * 5000)
    assert np.bincount(labels[proportional(labels, 3, seed=4)]).tolist() == [1, 1, 1]
    assert np.bincount(labels[proportional(labels, 101, seed=4)]).tolist() == [50, 1, 50]


def test_a_smaller_choice_lies_within_a_larger_one() -> None:
    chosen = [set(proportional(GLEASON, count, seed=1).tolist()) for count in (4, 97, 5000, 50_000)]
    assert [len(each) for each in chosen] == [4, 97, 5000, 50_000]
    assert all(small < large for small, large in pairwise(chosen))


def test_the_seed_alone_decides_and_the_order_is_that_of_the_set() -> None:
    chosen = proportional(GLEASON, 500, seed=2**40 + 5)
    assert (np.diff(chosen) > 0).all()
    assert np.array_equal(proportional(GLEASON, 500, seed=2**40 + 5), chosen)
    assert not np.array_equal(proportional(GLEASON, 500, seed=6), chosen)


def test_the_choice_is_the_same_on_every_machine() -> None:
    labels = np.array([0, 1] * 10)
    # RandomState(0) shuffles 20 into 18, 1, 19, 8, 10, 17, 6, ...: the first three of each class.
    assert proportional(labels, 6, seed=0).tolist() == [1, 8, 10, 17, 18, 19]


@pytest.mark.parametrize("count", [0, 20, 21])
def test_nothing_and_too_many_are_all(count: int) -> None:
    assert proportional(np.zeros(20, dtype=int), count, seed=0).tolist() == list(range(20))


def test_fewer_images_than_classes_are_refused() -> None:
    with pytest.raises(RecipeError, match="3 images cannot stand for 4 classes; set max_train"):
        proportional(GLEASON, 3, seed=0)
