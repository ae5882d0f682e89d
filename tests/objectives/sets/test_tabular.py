"""Tests of the table beside the images as numbers."""

import numpy as np
import pytest

from objectives.data.layouts.listing import Column
from objectives.sets.tabular import fit_encoding

AGE, SITE = Column("age", "number"), Column("site", "category")


def test_numbers_are_standardised_by_the_training_rows_alone() -> None:
    encoding = fit_encoding([AGE], [(30.0,), (50.0,)])  # mean 40, deviation 10
    assert encoding.encode([(30.0,), (50.0,), (70.0,)])[:, 0].tolist() == [-1.0, 1.0, 3.0]


def test_a_missing_number_is_the_mean_and_marked_where_training_rows_miss_some() -> None:
    encoding = fit_encoding([AGE], [(30.0,), (50.0,), (None,)])
    assert encoding.names == ["age", "age is missing"]
    assert encoding.encode([(None,), (50.0,)]).tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_number_that_no_training_row_misses_has_no_column_for_gaps() -> None:
    encoding = fit_encoding([AGE], [(30.0,), (50.0,)])
    assert encoding.names == ["age"]
    assert encoding.encode([(None,)]).tolist() == [[0.0]]


@pytest.mark.parametrize("rows", [[(7.0,), (7.0,)], [(0.1,)] * 3, [(None,), (None,)]])
def test_a_column_that_says_nothing_stays_small(rows: list[tuple[float | None]]) -> None:
    assert np.abs(fit_encoding([AGE], rows).encode([*rows, (9.0,)])).max() < 10


def test_categories_have_a_column_each_in_the_order_of_their_names() -> None:
    encoding = fit_encoding([SITE], [("hand",), ("face",), ("hand",)])
    assert encoding.names == ["site is face", "site is hand", "site is another"]
    assert encoding.encode([("hand",), ("face",)]).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_a_missing_category_is_none_that_is_called_so() -> None:
    encoding = fit_encoding([SITE], [("None",), ("hand",)])
    assert encoding.names == ["site is None", "site is hand", "site is another"]
    assert encoding.encode([(None,), ("None",)]).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("value", ["back", None])
def test_what_training_rows_do_not_have_falls_into_a_column_of_its_own(value: str | None) -> None:
    encoding = fit_encoding([SITE], [("hand",), ("face",), (None,)])
    assert encoding.encode([(value,)]).tolist() == [[0, 0, 1]]


def test_columns_keep_the_order_of_the_table_whatever_the_rows_order() -> None:
    rows = [("hand", 30.0), ("face", None), ("back", 40.0)]
    one, other = (fit_encoding([SITE, AGE], each) for each in (rows, rows[::-1]))
    assert one == other
    encoded = one.encode(rows)
    assert encoded.dtype == np.float32
    assert encoded.shape == (3, len(one.names))
    assert one.names[-2:] == ["age", "age is missing"]


def test_it_says_of_itself_all_that_encoding_again_takes() -> None:
    known = fit_encoding([SITE, AGE], [("hand", 30.0), ("face", 50.0)]).as_mapping()
    site, age = known["columns"]
    assert site == {"name": "site", "known": ("face", "hand")}
    assert age == {"name": "age", "mean": 40.0, "deviation": 10.0, "has_gaps": False}


@pytest.mark.parametrize(
    "training", [[(1e-200,), (2e-200,)], [(1e-310,), (2e-310,)], [(5.0,)], [(3e38,), (-3e38,)]]
)
def test_encoded_numbers_stay_within_reach_of_a_network(
    training: list[tuple[float | None]],
) -> None:
    encoding = fit_encoding([Column("age", "number")], training)
    encoded = encoding.encode([*training, (3e38,), (-3e38,)])
    assert np.abs(encoded).max() <= 1000
