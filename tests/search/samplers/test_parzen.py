"""Kernels and their mixture against other sources: SciPy's distributions, sums and integrals."""

import math

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.integrate import quad
from scipy.stats import truncnorm

from search.samplers.kernels import bandwidths, kernels_around
from search.samplers.parzen import ParzenEstimator, weigh

SPACE: dict[str, BaseDistribution] = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "depth": IntDistribution(2, 6),
    "model": CategoricalDistribution(["a", "b", "c"]),
}
OBSERVED = np.array([[1e-4, 2e-3, 1e-1, 2e-3], [2, 2, 6, 5], [0, 2, 2, 2]], dtype=np.float64)


def test_a_kernel_is_as_wide_as_the_farther_gap_beside_it() -> None:
    widths = bandwidths(np.array([0.1, 0.4, 1.0]), 0.0, 1.0)
    assert widths.tolist() == pytest.approx([0.3, 0.6, 0.6])


def test_no_kernel_is_narrower_than_the_magic_clip() -> None:
    assert bandwidths(np.array([0.5, 0.5, 0.5]), 0.0, 2.0).tolist() == [0.4] * 3  # 2 / (3 + 2)
    assert bandwidths(np.full(1000, 0.5), 0.0, 2.0).tolist() == [0.02] * 1000  # 2 / 100


def test_one_value_makes_a_kernel_as_wide_as_the_farther_end() -> None:
    assert bandwidths(np.array([0.25]), 0.0, 1.0).tolist() == [0.75]


def test_the_newest_25_weigh_as_much_as_the_prior_and_older_ones_less() -> None:
    weights = weigh(30) / weigh(30)[-1]
    assert weights.tolist() == pytest.approx([*np.linspace(1 / 30, 1, 5), *[1] * 25, 1])
    assert weigh(100).sum() == pytest.approx(1)
    assert weigh(0).tolist() == [1]


@pytest.mark.parametrize("log", [False, True])
def test_continuous_kernels_are_truncated_normals(log: bool) -> None:
    distribution = FloatDistribution(0.5, 8.0, log=log)
    kernels = kernels_around(np.array([0.5, 3.0, 7.9]), distribution)
    to_scale = math.log if log else float
    low, high = to_scale(0.5), to_scale(8.0)
    means = [*map(to_scale, (0.5, 3.0, 7.9)), (low + high) / 2]
    widths = [*bandwidths(np.array(means[:3]), low, high), high - low]
    quantiles = np.array([0.02, 0.5, 0.7, 0.999])
    drawn = kernels.draw(np.arange(4), quantiles)
    for kernel, (mean, width) in enumerate(zip(means, widths, strict=True)):
        ends = (low - mean) / width, (high - mean) / width
        reference = truncnorm(*ends, loc=mean, scale=width)
        assert to_scale(drawn[kernel]) == pytest.approx(reference.ppf(quantiles[kernel]), rel=1e-9)
        density = kernels.log_density(2.0)[kernel]
        assert density == pytest.approx(reference.logpdf(to_scale(2.0)), rel=1e-9)


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(2, 6),
        IntDistribution(1, 40, log=True),
        IntDistribution(0, 30, step=5),
        FloatDistribution(0, 1, step=0.25),
        CategoricalDistribution(["a", "b", "c"]),
    ],
    ids=str,
)
def test_the_probabilities_of_all_values_sum_to_one(distribution: BaseDistribution) -> None:
    if isinstance(distribution, CategoricalDistribution):
        values = [0.0, 1.0, 2.0]
    else:
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        step = distribution.step or 0
        values = np.arange(distribution.low, distribution.high + step / 2, step).tolist()
    kernels = kernels_around(np.array([values[0], values[-1], values[0]]), distribution)
    total = sum(np.exp(kernels.log_density(value)) for value in values)
    assert total == pytest.approx(np.ones(4))


def test_the_density_of_a_mixed_space_integrates_to_one() -> None:
    mixture = ParzenEstimator.around(OBSERVED, SPACE)

    def density(log_rate: float) -> float:
        points = [[math.exp(log_rate), depth, model] for depth in range(2, 7) for model in range(3)]
        return float(np.exp(mixture.log_density(np.array(points))).sum())

    assert quad(density, math.log(1e-4), math.log(1e-1))[0] == pytest.approx(1)


def test_draws_follow_the_density() -> None:
    mixture = ParzenEstimator.around(OBSERVED, SPACE)
    drawn = mixture.draw(np.random.RandomState(0), 20_000)
    kernels = mixture.kernels[2]
    for option in range(3):
        expected = np.exp(kernels.log_density(option)) @ mixture.weights
        assert np.mean(drawn[:, 2] == option) == pytest.approx(expected, abs=0.015)
    assert drawn[:, 0].min() >= 1e-4
    assert drawn[:, 0].max() <= 1e-1
    assert {*drawn[:, 1]} == {2, 3, 4, 5, 6}


def test_a_value_far_from_all_observed_ones_has_a_finite_density() -> None:
    space = {f"x{place}": IntDistribution(0, 10**6) for place in range(8)}
    mixture = ParzenEstimator.around(np.zeros((8, 500)), space)
    assert np.isfinite(mixture.log_density(np.full((1, 8), 1e6))).all()
