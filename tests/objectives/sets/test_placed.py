"""Tests of which sets lie on a device, and for how long."""

import weakref
from pathlib import Path

from objectives.contract import Attempt, DataSource
from objectives.sets.images import ImageSet, subsample
from objectives.sets.opened import open_images
from objectives.sets.placed import Placed, place

DIGITS = DataSource(layout={"kind": "digits"})


def digits(split: str = "train") -> ImageSet:
    return open_images(Attempt(folder=Path(), data=DIGITS), 16)[split]


def test_images_stay_where_they_are_on_a_cpu() -> None:
    assert place(digits(), "cpu") is digits()


def half(split: str) -> ImageSet:
    return subsample(digits(split), 100, seed=1)


def test_what_was_moved_is_there_for_the_next_trial() -> None:
    placed, train, validation = Placed(), half("train"), half("val")
    moved = [placed.on(each, "cpu", lambda _: 10**9) for each in (train, validation)]
    assert all(images.index is None for images in moved)  # copies of their own
    for _ in range(2):  # now whatever is free: it takes no more
        assert placed.on(train, "cpu", lambda _: 0) is moved[0]
        assert placed.on(validation, "cpu", lambda _: 0) is moved[1]


def test_a_set_that_does_not_fit_four_times_stays_where_it_is() -> None:
    images = half("train")
    assert Placed().on(images, "cpu", lambda _: 4 * images.nbytes - 1) is images
    assert Placed().on(images, "cpu", lambda _: 4 * images.nbytes) is not images


def test_two_sets_are_kept_moved_and_none_that_nobody_has_any_more() -> None:
    placed, sets = Placed(), [subsample(digits(), 50, seed) for seed in range(3)]
    first, second, third = [weakref.ref(placed.on(each, "cpu", lambda _: 10**9)) for each in sets]
    assert [each() is None for each in (first, second, third)] == [True, False, False]
    del sets
    placed.on(half("val"), "cpu", lambda _: 10**9)
    assert second() is None
    assert third() is None
