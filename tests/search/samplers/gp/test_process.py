"""The Gaussian process computes what scikit-learn's does, and its gradients are those it has."""

import numpy as np
import pytest
from numpy.linalg import LinAlgError
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.optimize import approx_fprime
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from search.samplers.beliefs import Bell
from search.samplers.gp.acquisition import Acquisition, Table
from search.samplers.gp.encoding import Encoding
from search.samplers.gp.fit import Evidence, Parameters, fit
from search.samplers.gp.improvement import log_improvement
from search.samplers.gp.kernel import Space, matern, squared_distances
from search.samplers.gp.posterior import Posterior, root_of
from search.samplers.searched import Searched
from tests.search.samplers.gp.made import CONDITIONAL, SQUARE, points_in

LENGTHS, SIGNAL, NOISE = np.array([0.3, 0.7]), 1.4, 0.05


def of_sklearn() -> GaussianProcessRegressor:
    """The same process, made by scikit-learn."""
    kernel = ConstantKernel(SIGNAL) * Matern(LENGTHS, nu=2.5) + WhiteKernel(NOISE)
    return GaussianProcessRegressor(kernel, optimizer=None, alpha=0)


def posterior_of(searched: Searched, count: int = 30) -> tuple[Space, Posterior]:
    space, coordinates = points_in(searched, count)
    scores = np.random.default_rng(1).normal(size=count)
    given = Parameters(
        lengths=np.full(len(space.encoding.columns), 0.5), signal=SIGNAL, noise=NOISE
    )
    return space, Posterior.after(space, given, coordinates, scores)


def test_mean_and_deviation_are_those_of_scikit_learn() -> None:
    space, coordinates = points_in(Searched(SQUARE), 25)
    scores = np.sin(6 * coordinates[:, 0]) + coordinates[:, 1]
    given = Parameters(lengths=LENGTHS, signal=SIGNAL, noise=NOISE)
    others = np.random.default_rng(2).random((40, 2))

    mean, deviation = Posterior.after(space, given, coordinates, scores).at(others)

    expected, spread = of_sklearn().fit(coordinates, scores).predict(others, return_std=True)
    assert mean == pytest.approx(expected, rel=1e-9)
    # scikit-learn counts the noise of a new trial in.
    assert deviation == pytest.approx(np.sqrt(spread**2 - NOISE), rel=1e-7)


def test_the_evidence_is_that_of_scikit_learn() -> None:
    space, coordinates = points_in(Searched(SQUARE), 25)
    scores = np.sin(6 * coordinates[:, 0]) + coordinates[:, 1]
    regressor = of_sklearn().fit(coordinates, scores)
    evidence = Evidence(space, coordinates, scores)
    given, others = np.log([*LENGTHS, SIGNAL, NOISE]), np.log([0.5, 0.2, 1.0, 0.1])

    def likelihood(logarithms: np.ndarray) -> float:  # in scikit-learn's order
        theta = logarithms[[2, 0, 1, 3]]
        return float(regressor.log_marginal_likelihood(theta))

    loss, other = evidence.loss(given)[0], evidence.loss(others)[0]

    prior = norm.logpdf(given, evidence.means, evidence.spreads).sum()
    prior -= norm.logpdf(others, evidence.means, evidence.spreads).sum()
    assert other - loss == pytest.approx(likelihood(given) - likelihood(others) + prior, rel=1e-9)


@pytest.mark.parametrize("searched", [Searched(SQUARE), CONDITIONAL], ids=["plain", "conditional"])
def test_the_gradient_of_the_evidence_is_that_of_its_differences(searched: Searched) -> None:
    space, coordinates = points_in(searched, 30)
    evidence = Evidence(space, coordinates, np.random.default_rng(1).normal(size=30))
    at = np.random.default_rng(2).normal(-1, 0.4, len(searched.distributions) + 2)

    differences = approx_fprime(at, lambda logarithms: evidence.loss(logarithms)[0], 1e-7)

    assert evidence.loss(at)[1] == pytest.approx(differences, rel=1e-4, abs=1e-4)


def test_the_slope_of_the_worth_is_that_of_its_differences() -> None:
    space, posterior = posterior_of(CONDITIONAL)
    worth = Acquisition(encoding=space.encoding, posterior=posterior, best=1.0)
    for point in ([0.0, 0.3, np.nan], [1.0, 0.3, 0.6], [1.0, 0.9, 0.1]):
        numbers = np.flatnonzero(~np.isnan(point))[1:]

        def at(places: np.ndarray, point: list[float] = point) -> float:
            moved = np.array(point)
            moved[1:][~np.isnan(moved[1:])] = places
            return float(worth.at(moved[np.newaxis])[0])

        differences = approx_fprime(np.array(point)[numbers], at, 1e-7)
        assert worth.slopes_at(np.array(point))[1][numbers] == pytest.approx(differences, rel=1e-4)


def test_the_slope_of_a_belief_is_that_of_its_differences() -> None:
    rate = CONDITIONAL.distributions["learning_rate"]
    assert isinstance(rate, FloatDistribution)
    table = Table.of(Encoding.of(CONDITIONAL).columns[1], Bell(rate, 0.4, 0.25))

    for place in (0.05, 0.4, 0.7312):
        around = table.at(np.array([place - 1e-6, place + 1e-6, np.nan]))
        assert table.slope_at(place) == pytest.approx((around[1] - around[0]) / 2e-6, abs=1e-4)
        assert table.slope_at(place) == pytest.approx((0.4 - place) / 0.25**2, abs=0.02)
        assert around[2] == 0


def test_log_improvement_is_exact_near_and_far_from_the_best_score() -> None:
    z = np.array([-1e6, -50.0, -8.0, -1.001, -0.999, 0.0, 3.0, 60.0])
    # log(phi(z) + z Phi(z)) by mpmath, with 80 digits.
    exact = [
        -500000000028.5,
        -1258.744182868,
        -37.12236426169,
        -2.487025657955,
        -2.483217115448,
        -0.9189385332047,
        1.098739665328,
        4.094344562222,
    ]

    assert log_improvement(z, np.ones(len(z)), 0.0) == pytest.approx(exact, rel=1e-8)
    assert log_improvement(2 * z, np.full(len(z), 2.0), 0.0) == pytest.approx(
        np.array(exact) + np.log(2), rel=1e-8
    )


def test_a_fit_finds_which_parameter_matters() -> None:
    space, coordinates = points_in(Searched(SQUARE), 40)

    lengths = fit(space, coordinates, np.sin(8 * coordinates[:, 0])).lengths

    assert lengths[1] > 4 * lengths[0]


def test_a_fit_tells_noise_from_signal() -> None:
    space, coordinates = points_in(Searched(SQUARE), 60)
    noise = np.random.default_rng(3).normal(size=60)
    smooth = np.sin(8 * coordinates[:, 0])

    assert fit(space, coordinates, smooth).noise < 0.01
    assert fit(space, coordinates, noise).noise > 0.1


def test_distances_are_those_of_the_definition() -> None:
    encoding = Encoding.of(CONDITIONAL)
    points = np.array([[0, 0.2, np.nan], [0, 0.5, np.nan], [1, 0.2, 0.5], [1, 0.2, 1.0]])
    coordinates = Space.around(encoding, points).embed(points)

    squared = squared_distances(coordinates, coordinates)

    assert squared[0, 1] == pytest.approx(0.09)  # both without momentum
    assert squared[2, 3] == pytest.approx(0.25)
    assert squared[0, 2] == pytest.approx(1 + 0.75)  # another optimizer, one without momentum
    assert squared[0, 3] == pytest.approx(1 + 1.0)


def test_an_option_that_no_trial_has_is_as_far_as_any_other() -> None:
    space: dict[str, BaseDistribution] = {"c": CategoricalDistribution(range(10_000))}
    encoding = Encoding.of(Searched(space))
    known = np.array([[3.0], [7.0]])
    embedded = Space.around(encoding, known)

    squared = squared_distances(embedded.embed(np.array([[3.0], [9_000.0]])), embedded.embed(known))

    assert squared == pytest.approx(np.array([[0.0, 1.0], [1.0, 1.0]]))
    assert len(embedded.owners) == 3


@pytest.mark.parametrize("seed", range(5))
def test_the_kernel_is_positive_definite_in_a_conditional_space(seed: int) -> None:
    _, coordinates = points_in(CONDITIONAL, 60, seed)

    assert np.linalg.eigvalsh(matern(squared_distances(coordinates, coordinates))[0]).min() > 0


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(1e-5, 1e-1, log=True),
        FloatDistribution(-1.0, 2.0, step=0.25),
        IntDistribution(1, 3),
        IntDistribution(2, 4096, log=True),
        IntDistribution(0, 12, step=4),
    ],
    ids=["log", "step", "int", "log-int", "int-step"],
)
def test_every_place_stands_for_a_valid_value(
    distribution: FloatDistribution | IntDistribution,
) -> None:
    column = Encoding.of(Searched({"x": distribution})).columns[0]

    places = column.spread(np.linspace(0, 0.9999, 500))

    values = column.stored(places)
    assert all(distribution._contains(value) for value in values.tolist())
    assert column.place(values) == pytest.approx(places, abs=1e-12)
    assert (values.min(), values.max()) == pytest.approx(
        (distribution.low, distribution.high), rel=2e-3
    )


def test_a_matrix_that_rounding_made_singular_has_a_root() -> None:
    twins = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-15]])

    root = root_of(twins)

    assert root @ root.T == pytest.approx(twins, abs=1e-5)


def test_a_matrix_that_is_no_covariance_has_no_root() -> None:
    with pytest.raises(LinAlgError):
        root_of(np.array([[1.0, 2.0], [2.0, 1.0]]))
