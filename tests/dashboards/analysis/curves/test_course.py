"""The learning curve of one trial, and the middle half of many."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from dashboards.analysis.curves.course import (
    GRID,
    MOST_POINTS,
    Course,
    at_shares,
    bands,
    course_of,
    thinned,
)
from objectives.contract import FOLD, FOLD_EPOCH
from storage.rows import EpochRow, TrialRow

TRIAL = TrialRow(number=7, trial_id=1, state="RUNNING")


def rows(values: Sequence[float], seconds: float = 60.0, **more: Sequence[float]) -> list[EpochRow]:
    return [
        EpochRow(
            number=7,
            epoch=epoch,
            attempt=1,
            value=value,
            metrics={"val_loss": value, **{name: all_[epoch - 1] for name, all_ in more.items()}},
            seconds=seconds,
            images=10,
            recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for epoch, value in enumerate(values, start=1)
    ]


def course(values: Sequence[float], planned: int | None = 8) -> Course:
    return course_of(TRIAL, rows(values), planned, folds=0)


def test_an_epoch_stands_at_its_share_of_the_schedule_and_its_minute() -> None:
    found = course([3.0, 2.0, 1.0, 0.5])
    assert found.shares == (0.125, 0.25, 0.375, 0.5)
    assert found.minutes == (1.0, 2.0, 3.0, 4.0)
    assert (found.last_epoch, found.values["val_loss"][-1]) == (4, 0.5)


def test_a_trial_that_went_beyond_its_schedule_ends_at_its_whole() -> None:
    assert course([1.0] * 4, planned=2).shares[-1] == 1.0
    assert course([1.0] * 4, planned=None).shares[-1] == 1.0
    assert course([]).shares == ()


def test_numbers_that_are_none_leave_a_gap() -> None:
    found = course([1.0, math.nan, math.inf, 0.5])
    assert found.values["val_loss"] == (1.0, None, None, 0.5)


def test_a_metric_that_came_later_has_no_value_before() -> None:
    early, late = rows([1.0]), rows([1.0, 0.5], val_top1=[0.1, 0.2])[1:]
    found = course_of(TRIAL, [*early, *late], 8, folds=0)
    assert found.values["val_top1"] == (None, 0.2)


def test_of_thousands_of_epochs_few_are_kept_with_their_times() -> None:
    found = course([1 / epoch for epoch in range(1, 5001)], planned=5000)
    assert len(found.epochs) == MOST_POINTS
    assert (found.epochs[0], found.epochs[-1]) == (1, 5000)
    assert found.minutes[-1] == pytest.approx(5000)


def test_epochs_that_were_left_out_count_in_the_minutes() -> None:
    some = [rows([1.0] * 9)[place] for place in (0, 4, 8)]
    assert course_of(TRIAL, some, 9, folds=0).minutes == (1.0, 5.0, 9.0)


def test_with_folds_the_newest_fold_is_the_curve() -> None:
    found = course_of(
        TRIAL,
        rows([3.0, 2.0, 2.8, 1.8, 1.6], **{FOLD: [1, 1, 2, 2, 2], FOLD_EPOCH: [1, 2, 1, 2, 3]}),
        4,
        folds=3,
    )
    assert (found.fold, found.epochs, found.shares[-1]) == (2, (1, 2, 3), 0.75)
    assert found.values["val_loss"] == (2.8, 1.8, 1.6)
    assert found.minutes == (1.0, 2.0, 3.0)


def test_a_share_has_the_value_of_the_last_epoch_until_then() -> None:
    values = dict(zip(GRID, at_shares(course([3.0, 2.0, 1.0, 0.5], 4))["val_loss"], strict=True))
    assert math.isnan(values[0.225])
    assert (values[0.25], values[0.475], values[0.5], values[1.0]) == (3.0, 3.0, 2.0, 0.5)


def test_the_band_is_the_middle_half_at_equal_shares_of_any_length() -> None:
    # Five trials of other lengths, each falling from v to v / 2 in the middle of its schedule.
    curves = [
        course([v] * half + [v / 2] * half, 2 * half)
        for v, half in [(1.0, 1), (2.0, 2), (3.0, 4), (4.0, 8), (5.0, 16)]
    ]
    band = bands(map(at_shares, curves))["val_loss"]
    low, high = (dict(zip(GRID, side, strict=True)) for side in (band.low, band.high))
    assert (low[0.5], high[0.5]) == (2.0, 4.0)
    assert (low[1.0], high[1.0]) == (1.0, 2.0)


def test_a_band_leaves_out_shares_that_too_few_trials_have_reached() -> None:
    late = [course([1.0, 1.0], 2) for _ in range(4)]
    band = bands(map(at_shares, [*late, course([2.0] * 40, 40)]))["val_loss"]
    low = dict(zip(GRID, band.low, strict=True))
    assert low[0.475] is None  # one trial alone
    assert low[0.5] == 1.0


@pytest.mark.parametrize("count", [1, 200, 201, 5000])
def test_few_of_many_are_chosen_with_the_first_and_the_last(count: int) -> None:
    chosen = list(thinned(count, 200))
    assert len(chosen) == min(count, 200)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert sorted(set(chosen)) == chosen
