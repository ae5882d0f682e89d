"""Draws of whole groups: the same ones everywhere, and bundles where there are too many."""

import math
from collections import Counter

import numpy as np
import pytest

from objectives.groups.draws import DRAWS, MOST_DRAWN, Grouping, all_draws, bounds, draws


def test_each_draw_takes_as_many_groups_as_there_are() -> None:
    times = all_draws(57)

    assert times.shape == (DRAWS, 57)
    assert set(times.sum(axis=1)) == {57}
    # A group is left out of (1 - 1/57)^57 = 36.5 % of the draws.
    assert abs((times == 0).mean() - (1 - 1 / 57) ** 57) < 0.01


def test_the_draws_are_the_same_on_every_machine() -> None:
    # Written down with numpy 2.4: intervals of recorded trials depend on them.
    assert next(draws(6)).tolist() == [1, 0, 0, 3, 1, 1]
    assert all_draws(200)[999, :10].tolist() == [2, 1, 2, 2, 0, 0, 2, 0, 0, 2]


def test_draws_that_are_kept_cannot_be_changed() -> None:
    assert all_draws(57) is all_draws(57)
    with pytest.raises(ValueError, match="read-only"):
        all_draws(57)[0, 0] = 7


def test_images_of_one_group_stand_at_its_name() -> None:
    grouping = Grouping.of(["slide b", "slide a", "slide b"])

    assert grouping.names == ("slide a", "slide b")
    assert grouping.of_image.tolist() == [1, 0, 1]


def test_too_many_groups_are_bundled_whole_and_evenly() -> None:
    groups = [f"patient {number % 5000:04}" for number in range(7500)]
    grouping = Grouping.of(groups)

    bundle_of = dict(zip(groups, grouping.of_image.tolist(), strict=True))
    assert [bundle_of[group] for group in groups] == grouping.of_image.tolist()
    assert len(grouping.names) == MOST_DRAWN
    assert set(Counter(bundle_of.values()).values()) == {2, 3}
    # At random: in the order of the names, neighbours would share a bundle.
    neighbours = zip(sorted(bundle_of), sorted(bundle_of)[1:], strict=False)
    assert sum(bundle_of[one] == bundle_of[other] for one, other in neighbours) < 20


def test_draws_without_the_number_are_left_out_of_its_interval() -> None:
    drawn = np.array([math.nan, *range(101)])

    assert bounds(drawn) == (2.5, 97.5)
    assert all(map(math.isnan, bounds(np.array([math.nan]))))
