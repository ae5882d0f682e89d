"""Places in a drawing: scales, labels, paths, bars."""

import math

import pytest

from dashboards.marks.bars import stack, whisker
from dashboards.marks.paths import band, line, spark, steps
from dashboards.marks.scale import Scale, spread


def test_a_logarithmic_scale_puts_the_geometric_mean_in_the_middle() -> None:
    scale = Scale(low=0.1, high=10, begin=200, end=0, is_log=True)
    assert (scale(0.1), scale(1.0), scale(10)) == pytest.approx((200, 100, 0))
    assert scale.held(99) == 0
    assert scale.held(-1) == 200  # has no logarithm


def test_a_scale_of_one_number_puts_it_in_the_middle() -> None:
    assert Scale(low=3, high=3)(3) == 50
    padded = Scale(low=3, high=3).padded(0.1)
    assert padded.low < 3 < padded.high


def test_labels_are_moved_apart_and_stay_in_their_order() -> None:
    moved = spread([10.0, 12.0, 100.0, 11.0], gap=16, begin=0, end=120)
    assert moved == [10.0, 42.0, 100.0, 26.0]
    assert spread([119.0, 120.0], gap=16, begin=0, end=120) == [104.0, 120.0]
    assert spread([5.0] * 4, gap=16, begin=0, end=30) == [0.0, 10.0, 20.0, 30.0]


def test_a_gap_breaks_a_line_and_a_single_place_is_a_dot() -> None:
    assert line([(0, 1), (50, 2.5), None, (100, 3)]) == "M0 1L50 2.5M100 3L100 3"
    assert line([]) == line([None]) == ""


def test_a_band_runs_there_and_back_and_steps_keep_their_height() -> None:
    assert band([(0, 1, 3), (100, 2, 4)]) == "M0 1L100 2 100 4 0 3Z"
    assert band([(0, 1, 3)]) == ""
    assert steps([(0, 9), (40, 5)], until=100) == "M0 9H40V5H100"


def test_a_sparkline_fills_its_height_from_nothing() -> None:
    assert spark([1, 3, 2], height=16) == "M0 10.33L50 1 100 5.67"
    assert spark([7, 7], height=16) == "M0 1L100 1"
    assert spark([], height=16) == ""


def test_a_stacked_bar_leaves_out_what_is_nothing() -> None:
    parts = stack([(3, "ok", "3 finished"), (0, "fail", "none"), (1, "run", "1 runs")], total=8)
    assert [(part.tone, part.x) for part in parts] == [("ok", 0), ("run", 37.5)]
    assert sum(part.width for part in parts) < 50
    assert stack([(1, "ok", "")], total=0) == []


def test_a_whisker_stays_in_its_row() -> None:
    mark = whisker(Scale(low=0, high=2), (0.5, 1.0, math.inf), "tied", "1.0")
    assert (mark.low, mark.middle, mark.high, mark.length) == (25, 50, 100, 75)
