"""The ruling on a number's prior, from the values of the best quarter."""

import numpy as np
import pytest

from dashboards.analysis.priors.ranges import (
    DENSITY_POINTS,
    MOST_POINTS,
    MOST_TICKS,
    NumberEvidence,
    is_rarely_so_close,
    judge_number,
)
from dashboards.analysis.priors.ruling import Ranked, Ruling
from spaces.params import Float, Int
from spaces.priors import Prior

RATE = Float("learning_rate", 1e-5, 1e-1, log=True, prior=Prior(1e-3, "high"))
EVEN = Float("dropout", 0.0, 1.0)


def judged(param: Float | Int, best: list[float]) -> NumberEvidence:
    """Judge a quarter of good values before trials that lie anywhere in the range."""
    spread = np.linspace(param.low, param.high, 3 * len(best))
    values = np.concatenate([best, spread])
    return judge_number(param, Ranked(np.arange(len(values)), values, np.arange(len(values)) / 10))


def test_a_prior_holds_where_the_middle_of_the_best_quarter_lies_in_its_center() -> None:
    found = judged(RATE, [5e-4, 1e-3, 2e-3, 3e-3])

    assert found.ruling is Ruling.HOLDS
    assert found.best_count == 4
    assert found.best[0] == (0, 5e-4)
    # The middle of 5e-4, 1e-3, 2e-3 and 3e-3 on a log scale.
    assert found.bracket[1] == pytest.approx(2**0.5 * 1e-3)


def test_a_prior_is_wrong_where_the_best_quarter_lies_clear_of_its_center() -> None:
    assert judged(RATE, [3e-2, 4e-2, 5e-2, 6e-2]).ruling is Ruling.WRONG


def test_a_prior_is_undecided_where_the_best_quarter_lies_on_both_sides_of_its_center() -> None:
    assert judged(RATE, [2e-5, 3e-2, 4e-2, 5e-2]).ruling is Ruling.UNDECIDED


def test_an_even_prior_is_narrowed_by_many_values_that_lie_close_together() -> None:
    assert judged(EVEN, [0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.33]).ruling is Ruling.NARROWED


def test_three_values_that_happen_to_lie_close_together_narrow_nothing() -> None:
    assert judged(EVEN, [0.1, 0.2, 0.4]).ruling is Ruling.UNDECIDED


def test_a_range_of_one_value_is_never_narrowed() -> None:
    assert judged(Int("layers", 3, 3), [3.0] * 8).ruling is Ruling.UNDECIDED


@pytest.mark.parametrize("count", [3, 7, 25])
def test_even_draws_lie_rarely_so_close_in_one_of_twenty_cases(count: int) -> None:
    random = np.random.default_rng(0)
    cases = [is_rarely_so_close(EVEN, random.random(count)) for _ in range(2000)]

    assert 0.035 < np.mean(cases) < 0.065


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("count", [3, 7, 25])
def test_even_draws_of_few_whole_numbers_lie_so_close_no_more_often(count: int, log: bool) -> None:
    layers, random = Int("layers", 1, 4, log=log), np.random.default_rng(0)
    places = random.uniform(*(np.log([0.5, 4.5]) if log else [0.5, 4.5]), (2000, count))
    draws = np.round(np.exp(places) if log else places)
    cases = [is_rarely_so_close(layers, values) for values in draws]

    assert np.mean(cases) < 0.065


def test_the_prior_is_drawn_as_a_density_whose_area_is_one() -> None:
    density = judged(RATE, [1e-3] * 4).density

    assert len(density) == DENSITY_POINTS
    assert np.trapezoid(density, dx=1 / (DENSITY_POINTS - 1)) == pytest.approx(1, abs=0.01)
    assert set(judged(EVEN, [0.5] * 4).density) == {1.0}


def test_the_evidence_is_bounded_however_many_trials_there_are() -> None:
    found = judged(RATE, [1e-3] * 2500)

    assert (len(found.seen), len(found.best)) == (MOST_TICKS, MOST_POINTS)
    assert found.best_count == 2500
    assert (found.seen[0], found.seen[-1]) == (RATE.low, RATE.high)
