"""The time that optuna-dashboard takes to open a study is told where it is long."""

import pytest

from dashboards.optuna.opening import optuna_seconds


@pytest.mark.parametrize(("trials", "seconds"), [(1_999, None), (2_000, 15), (5_000, 39)])
def test_the_time_is_as_measured(trials: int, seconds: float | None) -> None:
    assert optuna_seconds(trials) == (seconds and pytest.approx(seconds, rel=0.1))
