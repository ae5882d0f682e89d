"""The Gaussian process draws what is worth trying, whatever the trials and the space are."""

import math
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np
import pytest
from numpy.linalg import LinAlgError
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from search.samplers.beliefs import Bell, Shares
from search.samplers.gp import model
from search.samplers.gp.encoding import Encoding
from search.samplers.gp.model import MOST_TRIALS, kept
from search.samplers.model import ModelFailed
from search.samplers.searched import Searched
from tests.search.samplers.gp.made import CONDITIONAL, SQUARE, add, draw, process, study_of
from tests.search.samplers.observing import Observing
from tests.search.samplers.random_studies import RandomStudy

PLAIN = Searched(SQUARE)


def bowl(values: dict[str, float]) -> float:
    """A loss that is least at .3, .7."""
    return (values["x"] - 0.3) ** 2 + (values["y"] - 0.7) ** 2


def tried(count: int, seed: int = 0) -> list[tuple[dict[str, Any], float]]:
    """Trials of the square, drawn uniformly."""
    drawn = np.random.default_rng(seed).random((count, 2)).tolist()
    return [({"x": x, "y": y}, bowl({"x": x, "y": y})) for x, y in drawn]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_a_bowl_is_found_in_twenty_trials(direction: str) -> None:
    sign = 1 if direction == "minimize" else -1
    study = study_of(PLAIN, [(at, sign * loss) for at, loss in tried(5)], direction=direction)
    for _ in range(15):
        drawn = draw(study, PLAIN, seed=len(study.trials))
        add(study, PLAIN, [(drawn, sign * bowl(drawn))])

    assert abs(study.best_value) < 1e-3


def test_a_seed_draws_the_same_every_time() -> None:
    study = study_of(PLAIN, tried(12))

    assert draw(study, PLAIN, seed=3) == draw(study, PLAIN, seed=3)


@pytest.mark.parametrize("ended", range(3))
def test_a_study_with_hardly_any_trial_is_drawn_all_the_same(ended: int) -> None:
    study = study_of(PLAIN, tried(ended))

    drawn = draw(study, PLAIN)

    assert set(drawn) == {"x", "y"}
    assert all(0 <= value <= 1 for value in drawn.values())


@pytest.mark.parametrize("seed", range(16))
def test_every_draw_is_a_new_whole_configuration_of_its_space(seed: int) -> None:
    made = RandomStudy(seed, trials=(0, 3, 9, 30)[seed % 4])
    conditions = {name: {other: value} for name, (other, value) in made.conditions.items()}
    searched = Searched(made.space, conditions)

    drawn = draw(made.optuna_study, searched, seed)

    assert drawn == searched.whole(drawn, lambda name, _: pytest.fail(f"{name} was not drawn"))
    for name, value in drawn.items():
        distribution = made.space[name]
        assert distribution._contains(distribution.to_internal_repr(value))


def test_a_conditional_parameter_is_drawn_with_its_condition_only() -> None:
    random = np.random.default_rng(0)
    trials: list[tuple[dict[str, Any], float]] = []
    for _ in range(12):
        rate = 10 ** random.uniform(-5, -1)
        away = (math.log10(rate) + 3) ** 2
        momentum = random.uniform(0.5, 1.0)
        trials.append(({"optimizer": "adam", "learning_rate": rate}, 2 + away))
        sgd = {"optimizer": "sgd", "learning_rate": rate, "momentum": momentum}
        trials.append((sgd, away + 10 * (momentum - 0.8) ** 2))
    study = study_of(CONDITIONAL, trials)

    best, other = draw(study, CONDITIONAL), draw(study, CONDITIONAL, optimizer="adam")

    assert best["optimizer"] == "sgd"
    assert best["momentum"] == pytest.approx(0.8, abs=0.1)
    assert set(other) == {"optimizer", "learning_rate"}


def test_given_values_are_kept_and_the_others_go_with_them() -> None:
    """On a ridge, where the best y depends on x."""
    ridge = [(at, (at["x"] - at["y"]) ** 2) for at, _ in tried(40)]
    study = study_of(PLAIN, ridge)

    for x in (0.2, 0.8):
        drawn = draw(study, PLAIN, x=x)
        assert drawn["x"] == x
        assert drawn["y"] == pytest.approx(x, abs=0.15)


def test_running_trials_are_avoided() -> None:
    study = study_of(PLAIN, tried(8))
    drawn = []
    for _ in range(4):
        drawn.append(draw(study, PLAIN))
        add(study, PLAIN, [(drawn[-1], math.nan)], TrialState.RUNNING)

    apart = [math.dist(a.values(), b.values()) for a, b in combinations(drawn, 2)]
    assert min(apart) > 0.02


def test_its_own_values_do_not_count_as_a_running_trial() -> None:
    study = study_of(PLAIN, tried(12))
    before = draw(study, PLAIN)
    add(study, PLAIN, [({"x": 0.3, "y": 0.7}, math.nan)], TrialState.RUNNING)

    again = process(study, PLAIN, number=12).draw({})

    assert again == before


def test_pruned_trials_are_learned_from() -> None:
    """Completed trials say nothing; those with a small x were stopped."""
    random = np.random.default_rng(1)
    completed = [({"x": random.uniform(0.4, 1), "y": random.random()}, 1.0) for _ in range(4)]
    stopped = [({"x": random.uniform(0, 0.4), "y": random.random()}, 5.0) for _ in range(12)]
    study = study_of(PLAIN, completed)
    add(study, PLAIN, stopped, TrialState.PRUNED)

    assert median(draw(study, PLAIN, seed)["x"] for seed in range(5)) > 0.5


def test_values_that_are_not_finite_or_enormous_are_ranked() -> None:
    trials = tried(12)
    for at, value in enumerate([math.inf, -math.inf, 1e308, -1e308]):
        trials[at] = trials[at][0], value
    study = study_of(PLAIN, trials)
    add(study, PLAIN, [({"x": 0.1, "y": 0.1}, math.nan)], TrialState.PRUNED)

    drawn = draw(study, PLAIN)

    assert all(0 <= value <= 1 for value in drawn.values())


def test_trials_that_are_all_equal_are_learned_from() -> None:
    study = study_of(PLAIN, [(at, 1.0) for at, _ in tried(10)])

    assert set(draw(study, PLAIN)) == {"x", "y"}


def test_a_parameter_of_one_value_is_left_alone() -> None:
    searched = Searched({**SQUARE, "c": CategoricalDistribution(("only",))})
    study = study_of(searched, [({**at, "c": "only"}, loss) for at, loss in tried(8)])

    assert draw(study, searched)["c"] == "only"
    alone = Searched({"c": CategoricalDistribution(("only",))})
    assert draw(study_of(alone, [({"c": "only"}, 1.0)] * 5), alone) == {"c": "only"}


def test_an_option_among_thousands_is_found_again() -> None:
    searched = Searched({"c": CategoricalDistribution(range(5000)), "x": SQUARE["x"]})
    trials = [({"c": at % 4, "x": at / 16}, abs(at % 4 - 2) + at / 16) for at in range(16)]
    study = study_of(searched, trials)

    assert 2 in {draw(study, searched, seed)["c"] for seed in range(4)}


def test_a_small_space_is_tried_whole_before_anything_twice() -> None:
    space: dict[str, BaseDistribution] = {
        "a": CategoricalDistribution(("p", "q")),
        "b": IntDistribution(1, 3),
    }
    searched = Searched(space)
    study = study_of(searched, [])
    for number in range(6):
        drawn = draw(study, searched, seed=number)
        add(study, searched, [(drawn, drawn["b"] + (drawn["a"] == "q"))])

    assert len({str(trial.params) for trial in study.trials}) == 6


def test_beliefs_draw_towards_themselves_as_far_as_they_weigh() -> None:
    study = study_of(PLAIN, tried(6))
    x = SQUARE["x"]
    assert isinstance(x, FloatDistribution)
    beliefs = {"x": Bell(x, 0.9, 0.125)}
    drawn = [
        process(study, PLAIN, beliefs=beliefs, weight=weight).draw({})["x"]
        for weight in (0.0, 100.0)
    ]
    assert drawn[0] < 0.7
    assert drawn[1] == pytest.approx(0.9, abs=0.05)


def test_a_belief_about_options_decides_between_equal_ones() -> None:
    searched = Searched({"c": CategoricalDistribution("abc"), "x": SQUARE["x"]})
    trials = [({"c": "abc"[at % 3], "x": at / 12}, abs(at / 12 - 0.5)) for at in range(12)]
    study, shares = study_of(searched, trials), Shares(np.array([0.1, 0.1, 0.8]))

    drawn = [
        process(study, searched, seed=seed, beliefs={"c": shares}, weight=2.0).draw({})["c"]
        for seed in range(3)
    ]
    assert drawn == ["c", "c", "c"]


def test_numerics_that_fail_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LinAlgError("no root")

    monkeypatch.setattr(model, "fit", fail)
    with pytest.raises(ModelFailed, match="the Gaussian process failed: no root"):
        draw(study_of(PLAIN, tried(8)), PLAIN)


def test_of_very_many_trials_the_best_and_the_newest_are_kept() -> None:
    numbers = np.arange(2 * MOST_TRIALS)

    left, _ = kept(numbers, -numbers.astype(np.float64))

    half = MOST_TRIALS // 2
    assert left.tolist() == [*range(half), *range(2 * MOST_TRIALS - half, 2 * MOST_TRIALS)]


def test_a_trial_of_another_program_without_a_parameter_is_left_out() -> None:
    study = study_of(PLAIN, tried(10))
    add(study, PLAIN, [({"x": 0.9}, -9.0)])

    assert draw(study, PLAIN)["x"] < 0.6


def test_a_parameter_that_hangs_on_one_with_a_single_value_exists_where_that_one_does() -> None:
    searched = Searched(
        {
            "is_on": CategoricalDistribution((False, True)),
            "only": CategoricalDistribution(("x",)),
            "x": FloatDistribution(0.0, 1.0),
        },
        {"only": {"is_on": True}, "x": {"only": "x"}},
    )
    off = {"is_on": False}
    on = [({"is_on": True, "only": "x", "x": at / 8}, 1 + at) for at in range(5)]
    observed = Observing(study_of(searched, [(off, 0.0), *on]))
    _, is_whole = Encoding.of(searched).points(
        {name: observed.column(name, each) for name, each in searched.open.items()}
    )
    assert is_whole.all()
