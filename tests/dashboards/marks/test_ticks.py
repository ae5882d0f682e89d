"""Round numbers and moments along an axis."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards.marks.ticks import MINUS, log_ticks, moment_ticks, round_ticks


def true_minus(texts: list[str]) -> list[str]:
    return [text.replace("-", MINUS) for text in texts]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.283, 0.71, ["0.3", "0.4", "0.5", "0.6", "0.7"]),
        (-2, 3, ["-2", "-1", "0", "1", "2", "3"]),
        (0, 1234, ["0", "250", "500", "750", "1000"]),
        (5e-6, 2.1e-5, ["5e-6", "1e-5", "1.5e-5", "2e-5"]),
        (0.92, 0.981, ["0.92", "0.94", "0.96", "0.98"]),
    ],
)
def test_numbers_on_an_even_axis_are_round(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in round_ticks(low, high)] == true_minus(texts)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.28, 0.72, ["0.3", "0.4", "0.5", "0.6", "0.7"]),
        (0.1, 20, ["0.1", "0.3", "1", "3", "10"]),
        (1e-5, 1, ["1e-5", "0.0001", "0.001", "0.01", "0.1", "1"]),
        (0.3012, 0.3044, ["0.3015", "0.3020", "0.3025", "0.3030", "0.3035", "0.3040"]),
    ],
)
def test_numbers_on_a_logarithmic_axis_are_round(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in log_ticks(low, high)] == true_minus(texts)


@pytest.mark.parametrize("span", [1e-7, 3e-4, 0.07, 1, 17, 999, 3e8])
@pytest.mark.parametrize("low", [-40.0, 0.0, 0.123, 7e5])
@pytest.mark.parametrize("most", [2, 5, 9])
def test_there_are_never_more_ticks_than_asked_for_and_all_lie_inside(
    low: float, span: float, most: int
) -> None:
    ticks = round_ticks(low, low + span, most)
    room = 1e-6 * span
    assert len(ticks) <= most
    assert all(low - room <= tick.value <= low + span + room for tick in ticks)
    assert len({tick.text for tick in ticks}) == len(ticks)


@pytest.mark.parametrize("decades", [0.01, 0.3, 1, 4, 30])
def test_a_logarithmic_axis_of_any_length_has_ticks(decades: float) -> None:
    ticks = log_ticks(0.02, 0.02 * 10**decades, 6)
    assert 1 < len(ticks) <= 6


def test_an_axis_without_length_or_end_has_one_tick_or_none() -> None:
    assert [tick.text for tick in round_ticks(0.5, 0.5)] == ["0.500"]
    assert round_ticks(0, math.inf) == round_ticks(math.nan, 1) == []


def test_moments_are_round_in_their_own_time_zone() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")  # half an hour beside the hours of UTC
    begin = datetime(2026, 3, 1, 22, 41, tzinfo=kolkata)
    ticks = moment_ticks(begin, datetime(2026, 3, 2, 3, 52, tzinfo=kolkata))
    assert [tick.text for tick in ticks] == ["23:00", "2 Mar", "01:00", "02:00", "03:00"]
    assert ticks[0].value == datetime(2026, 3, 1, 23, tzinfo=kolkata).timestamp()


@pytest.mark.parametrize(
    ("days", "first"),
    [(0.01, "12:00"), (0.5, "12:00"), (3, "12:00"), (40, "7 Mar"), (900, "1 Mar")],
)
def test_a_long_time_has_few_moments(days: float, first: str) -> None:
    begin = datetime(2026, 3, 1, 11, 59, tzinfo=ZoneInfo("UTC"))
    ticks = moment_ticks(begin, begin + timedelta(days=days))
    assert 1 < len(ticks) <= 9
