"""The ruling on a choice's prior, from the means of its options."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from dashboards.analysis.priors.options import (
    MOST_OPTIONS,
    OptionEvidence,
    judge_options,
    welch_interval,
)
from dashboards.analysis.priors.ruling import Ranked, Ruling
from spaces.params import Choice, Toggle

GOOD = [0.30, 0.31, 0.32, 0.33, 0.34]
BAD = [0.50, 0.52, 0.55, 0.60, 0.61, 0.62, 0.64]
MIXED = [0.29, 0.35, 0.45, 0.65]


def judged(param: Choice | Toggle, *groups: list[float]) -> OptionEvidence:
    """Judge results in groups, one per option."""
    results = np.array([result for group in groups for result in group])
    places = np.array([place for place, group in enumerate(groups) for _ in group], dtype=float)
    order = np.argsort(results)
    return judge_options(param, Ranked(order, places[order], results[order]))


def test_an_option_leads_where_the_prior_was_even() -> None:
    found = judged(Choice("backbone", ("small", "large")), BAD, GOOD)

    assert found.ruling is Ruling.LEADS
    assert found.contrast is not None
    assert (found.contrast.leader, found.contrast.other) == ("large", "small")
    assert found.contrast.better_by == pytest.approx(np.mean(BAD) - np.mean(GOOD))
    assert found.contrast.trials == (5, 7)
    assert [(each.trials, each.best) for each in found.options] == [(7, 0), (5, 3)]


def test_a_prior_holds_where_its_favourite_leads_and_is_wrong_where_another_does() -> None:
    favours_first, favours_second = (
        Choice("backbone", {"small": weight, "large": 1 - weight}) for weight in (0.8, 0.2)
    )

    assert judged(favours_first, GOOD, BAD).ruling is Ruling.HOLDS
    assert judged(favours_second, GOOD, BAD).ruling is Ruling.WRONG
    assert judged(Toggle("ldam", prior=0.9), GOOD, BAD).ruling is Ruling.WRONG


def test_nothing_is_decided_where_the_interval_holds_zero() -> None:
    found = judged(Toggle("ldam"), GOOD, MIXED)

    assert found.ruling is Ruling.UNDECIDED
    assert found.contrast is not None
    assert found.contrast.low < 0 < found.contrast.high


def test_nothing_is_compared_with_an_option_of_one_trial_or_without_any_spread() -> None:
    assert judged(Toggle("ldam"), GOOD * 3, [0.9]).contrast is None
    assert judged(Toggle("ldam"), [0.3] * 6, [0.9] * 6).contrast is None


def test_two_options_have_the_welch_interval_of_scipy() -> None:
    expected = ttest_ind(BAD, GOOD, equal_var=False).confidence_interval(0.95)

    assert welch_interval(np.array(GOOD), np.array(BAD), 0.95) == pytest.approx(tuple(expected))


def test_the_interval_is_wider_where_the_leader_was_picked_among_more_options() -> None:
    two = judged(Choice("size", (1, 2)), GOOD, MIXED).contrast
    three = judged(Choice("size", (1, 2, 3)), GOOD, MIXED, BAD).contrast

    assert two is not None
    assert three is not None
    assert three.high - three.low > two.high - two.low


def test_of_many_options_those_that_most_trials_have_are_kept_in_their_order() -> None:
    groups = [GOOD if place % 2 else [] for place in range(2 * MOST_OPTIONS + 2)]
    found = judged(Choice("size", tuple(range(len(groups)))), *groups)

    assert len(found.options) == MOST_OPTIONS
    assert all(each.trials for each in found.options)
    assert [each.option for each in found.options] == sorted(
        each.option for each in found.options if isinstance(each.option, int)
    )
