"""The order of ended trials, their scores, and what the priors' record and trust make of them."""

import math

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats import norm

from search.samplers.beliefs import Bell
from search.samplers.knowledge import know
from search.samplers.ranks import scores
from search.samplers.record import record
from search.samplers.searched import Searched
from search.samplers.trust import trust
from storage.rows import Way
from tests.search.samplers.observing import Observing

UNIT = FloatDistribution(0.0, 1.0)


def pruned(*curve: float, out_of_memory: bool = False) -> FrozenTrial:
    """A pruned trial with its values by epoch."""
    return create_trial(
        state=TrialState.PRUNED,
        intermediate_values=dict(enumerate(curve)),
        system_attrs={"constraints:memory": 1.0} if out_of_memory else {},
    )


def observed(*trials: FrozenTrial, direction: str = "minimize") -> Observing:
    study = optuna.create_study(direction=direction)
    study.add_trials(trials)
    return Observing(study)


def test_scores_fall_from_finished_over_pruned_to_diverged_and_out_of_memory() -> None:
    failed = create_trial(state=TrialState.FAIL)
    numbers, score = scores(
        observed(
            pruned(5.0, math.nan),  # it diverged, later than the others were stopped
            create_trial(value=2.0),
            failed,
            pruned(1.0, 0.5),
            create_trial(value=1.0),
            pruned(0.1),
            pruned(0.2, 0.1, out_of_memory=True),
        )
    )

    assert numbers.tolist() == [0, 1, 3, 4, 5, 6]
    ranks = [5.5, 2, 3, 1, 4, 5.5]
    assert score.tolist() == pytest.approx([-norm.ppf((rank - 0.5) / 6) for rank in ranks])


def test_equal_values_have_one_score_and_larger_is_better_where_a_study_maximizes() -> None:
    values = [create_trial(value=value) for value in (3.0, 1.0, 3.0)]

    score = scores(observed(*values, direction="maximize"))[1]

    assert score[0] == score[2] > score[1]


def test_a_record_without_trials_is_even() -> None:
    assert record(np.empty(0), np.empty(0)) == pytest.approx(0.5)


def test_the_newest_trials_make_the_record() -> None:
    improving, worsening = np.array([-1.0, 0.0, 1.0]), np.array([1.0, 0.0, -1.0])

    assert record(improving, worsening) > 0.5 > record(worsening, improving)
    assert record(improving, worsening) == pytest.approx(1 - record(worsening, improving))


def test_a_record_follows_its_formula() -> None:
    # By hand: means 2.9 / 3.9 and -.5 / 3, variances 1 / 3.9 and 1 / 3, as of trials of weight .9
    # and 1 and of one of weight 1, beside two trials of score 0.
    z = 1.5 * (2.9 / 3.9 + 0.5 / 3) / math.sqrt(1 / 3.9 + 1 / 3)

    assert record(np.array([1.0, 2.0]), np.array([-0.5])) == pytest.approx(norm.cdf(z))


def test_trust_takes_noise_for_what_the_priors_do_not_explain() -> None:
    # By hand, the first pass: beta 4 / 8.25, which leaves squares of 4.59 and a noise of
    # (4.59 + 4) / 6 = 1.432. The second: precision 2 / 1.432 + 6.25, beta 2.793 / 7.646 = .3653.
    right = trust(np.array([[1.0], [-1.0]]), np.array([2.0, -2.0]))

    assert right.tolist() == pytest.approx([norm.cdf(0.3653 * math.sqrt(7.646))], abs=1e-4)


def test_trust_is_the_posterior_of_a_regression() -> None:
    random = np.random.RandomState(3)
    preferred = random.uniform(-1, 1, (40, 2))
    preferred -= preferred.mean(axis=0)
    score = 0.8 * preferred[:, 0] - 0.8 * preferred[:, 1] + 0.3 * random.randn(40)

    right = trust(preferred, score)

    # By brute force: the probability of beta > 0 over a grid, at the least noise variance.
    grid = np.linspace(-2, 2, 161)
    one, other = np.meshgrid(grid, grid, indexing="ij")
    betas = np.stack([one.ravel(), other.ravel()])
    rest = score[:, None] - preferred @ betas
    log_posterior = -0.5 * (rest**2).sum(axis=0) / 0.3 - 0.5 * (betas**2).sum(axis=0) / 0.4**2
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    expected = [float(posterior[beta > 0].sum()) for beta in betas]
    assert right.tolist() == pytest.approx(expected, abs=0.01)
    assert right[0] > 0.99
    assert right[1] < 0.01


def test_without_evidence_trust_is_even() -> None:
    assert trust(np.zeros((5, 2)), np.arange(5.0)).tolist() == [0.5, 0.5]


def test_the_queued_first_trial_counts_for_the_prior_and_other_queued_ones_do_not() -> None:
    trials = [
        create_trial(value=value, params={"x": 0.5}, distributions={"x": UNIT})
        for value in (9.0, 1.0, 2.0, 3.0, 4.0)
    ]
    study = optuna.create_study()
    study.add_trials(trials)
    searched, beliefs = Searched({"x": UNIT}), {"x": Bell(UNIT, 0.5, 0.25)}

    first = know(Observing(study, [Way.ENQUEUED]), searched, beliefs)
    other = know(Observing(study, [Way.UNIFORM, Way.ENQUEUED]), searched, beliefs)

    assert first.record < 0.4  # the worst one of five
    assert (first.drawn_with, first.drawn_without) == (1, 0)
    assert (other.drawn_with, other.drawn_without) == (0, 1)
    assert other.record > 0.5  # the worst one was drawn without
