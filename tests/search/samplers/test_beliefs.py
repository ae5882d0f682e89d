"""Beliefs against SciPy's truncated normal distribution, and against sums over whole numbers."""

import math

import numpy as np
import pytest
from scipy.stats import truncnorm

from search.samplers.beliefs import Belief, beliefs_of
from search.samplers.kernels import kernels_around
from search.samplers.parzen import ParzenEstimator, weigh
from search.samplers.searched import Searched
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.priors import Prior
from spaces.space import Space

QUANTILES = np.linspace(0, 1, 2001)[:-1] + 0.00025


def belief(param: Param) -> Belief:
    """The belief about one parameter."""
    space = Space((param,))
    return beliefs_of(space, Searched.of(space).distributions)[param.name]


def test_what_prefers_nothing_is_no_belief() -> None:
    space = Space(
        (
            Float("rate", 0, 1),
            Int("depth", 1, 3),
            Choice("model", ("a", "b")),
            Choice("even", {"a": 2.0, "b": 2.0}),
            Toggle("ldam"),
            Choice("only", {"a": 1.0}),
        )
    )
    assert beliefs_of(space, Searched.of(space).distributions) == {}


@pytest.mark.parametrize("log", [False, True])
def test_a_belief_about_a_number_is_a_normal_cut_to_its_range(log: bool) -> None:
    rate = belief(Float("rate", 1e-4, 1e-1, log=log, prior=Prior(1e-3, "high")))
    place = math.log if log else float
    low, high, center = place(1e-4), place(1e-1), place(1e-3)
    width = 0.125 * (high - low)
    normal = truncnorm((low - center) / width, (high - center) / width, center, width)

    for value in (1e-4, 7e-4, 1e-3, 9e-3):
        expected = normal.logpdf(place(value)) + math.log(high - low)
        assert rate.log_ratio(np.array([value]))[0] == pytest.approx(expected, rel=1e-9)
    drawn = [place(value) for value in rate.draw(QUANTILES)]
    assert drawn == pytest.approx(normal.ppf(QUANTILES), rel=1e-9)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("confidence", ["low", "medium", "high"])
def test_a_whole_number_is_as_probable_as_it_is_drawn(log: bool, confidence: str) -> None:
    param = Int("depth", 2, 9, log=log, prior=Prior(3, confidence))  # type: ignore[arg-type]
    depth, values = belief(param), np.arange(2.0, 10.0)
    bounds = np.arange(1.5, 10)
    places = np.log(bounds) if log else bounds
    uniform = np.diff(places) / (places[-1] - places[0])
    probability = uniform * np.exp(depth.log_ratio(values))
    share = [np.mean(depth.draw(QUANTILES) == value) for value in values]

    assert probability.sum() == pytest.approx(1, abs=0.01)  # but for the floor
    assert share == pytest.approx(probability.tolist(), abs=0.002)


def test_an_option_is_as_probable_as_its_weight_says() -> None:
    model = belief(Choice("model", {"a": 6.0, "b": 3.0, "c": 1.0}))
    places = np.arange(3.0)

    assert np.exp(model.log_ratio(places)).tolist() == pytest.approx([1.8, 0.9, 0.3])
    drawn = [float(np.mean(model.draw(QUANTILES) == place)) for place in places]
    assert drawn == pytest.approx([0.6, 0.3, 0.1], abs=0.001)


def test_a_toggle_is_on_as_often_as_its_prior_says() -> None:
    assert np.mean(belief(Toggle("ldam", prior=0.3)).draw(QUANTILES)) == pytest.approx(
        0.3, abs=1e-3
    )


def test_far_from_its_center_a_belief_does_not_fall_below_one_in_a_thousand() -> None:
    rate = belief(Float("rate", 0, 1, prior=Prior(0.0, "high")))

    assert rate.log_ratio(np.array([0.99, 1.0])).tolist() == pytest.approx([math.log(0.001)] * 2)


@pytest.mark.parametrize(
    "param",
    [
        Float("x", 1e-4, 1e-1, log=True, prior=Prior(2e-4, "high")),
        Float("x", 0, 1, prior=Prior(0.3, "low")),
        Int("x", 2, 9, prior=Prior(3)),
        Choice("x", {"a": 0.7, "b": 0.2, "c": 0.1}),
        Toggle("x", prior=0.8),
    ],
    ids=repr,
)
def test_a_belief_makes_the_last_kernel(param: Param) -> None:
    believed, quantiles = belief(param), np.array([0.3, 0.8])
    distribution = Searched.of(Space((param,))).distributions["x"]
    kernels = kernels_around(np.empty(0), distribution, believed)
    values = believed.draw(quantiles)

    drawn = kernels.draw(np.zeros(2, np.intp), quantiles)
    densities = [kernels.log_density(value)[0] for value in values.tolist()]

    assert drawn.tolist() == pytest.approx(values.tolist())
    assert np.diff(densities) == pytest.approx(np.diff(believed.log_ratio(values)), abs=1e-9)


def test_a_belief_may_weigh_more_than_a_trial() -> None:
    assert weigh(3, 2.0).tolist() == pytest.approx([0.2, 0.2, 0.2, 0.4])


def test_draws_that_are_given_an_option_follow_the_trials_that_have_it() -> None:
    space = Searched.of(Space((Choice("model", ("a", "b")), Float("rate", 0, 1)))).distributions
    observed = np.array([[0.0, 0.0, 1.0, 1.0], [0.1, 0.12, 0.9, 0.92]])
    mixture = ParzenEstimator.around(observed, space)

    free = mixture.draw(np.random.RandomState(0), 4000)
    given = mixture.draw(np.random.RandomState(1), 4000, {0: 1.0})

    assert set(given[:, 0]) == {1.0}
    expected = np.mean(free[free[:, 0] == 1.0, 1] > 0.5)  # among free draws that have it
    assert np.mean(given[:, 1] > 0.5) == pytest.approx(expected, abs=0.03)
    assert expected > np.mean(free[:, 1] > 0.5) + 0.1
