"""Parameters: the values that they draw and refuse, and their calls to Optuna."""

import math
from collections import Counter
from random import Random
from statistics import mean

import optuna
import pytest

from spaces.errors import StudyError
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.priors import Prior

LEARNING_RATE = Float("learning_rate", 1e-5, 1e-2, log=True, prior=Prior(1e-4, "high"))
PARAMS: list[Param] = [
    LEARNING_RATE,
    Float("dropout", 0.0, 0.5),
    Int("epochs", 5, 20, prior=Prior(10)),
    Choice("backbone", {"resnet50": 0.8, "resnet34": 0.2}),
    Toggle("ldam", prior=0.3),
]


@pytest.mark.parametrize("param", PARAMS, ids=lambda param: param.name)
def test_every_draw_is_a_value_that_the_parameter_takes(param: Param) -> None:
    random = Random(0)

    draws = [param.draw(random) for _ in range(500)]

    assert all(param.takes(value) for value in draws)
    assert len(set(draws)) > 1


@pytest.mark.parametrize("param", PARAMS, ids=lambda param: param.name)
def test_optuna_replays_what_a_parameter_suggests(param: Param) -> None:
    trial = optuna.trial.FixedTrial({param.name: param.mode()})

    assert param.suggest(trial) == param.mode()


def test_a_prior_draws_near_its_center_on_the_log_scale() -> None:
    random = Random(0)

    draws = [LEARNING_RATE.draw(random) for _ in range(2000)]

    # "high" is .125 of three decades: two thirds of the draws lie within .375 decades of 1e-4.
    near = [value for value in draws if 10**-4.375 < value < 10**-3.625]
    assert 0.63 < len(near) / len(draws) < 0.74


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
def test_every_whole_number_has_its_share_of_the_scale_both_ends_included(log: bool) -> None:
    random, total = Random(0), 20_000
    drawn = Counter(Int("epochs", 2, 8, log=log).draw(random) for _ in range(total))

    place = math.log if log else float
    for value in range(2, 9):
        share = (place(value + 0.5) - place(value - 0.5)) / (place(8.5) - place(1.5))
        sigma = math.sqrt(total * share * (1 - share))
        assert abs(drawn[value] - total * share) < 4 * sigma


def test_a_prior_at_the_end_of_the_whole_numbers_draws_that_end_most() -> None:
    random = Random(0)
    epochs = Int("epochs", 2, 8, prior=Prior(2, "high"))

    drawn = Counter(epochs.draw(random) for _ in range(2000))

    assert [value for value, _ in drawn.most_common(3)] == [2, 3, 4]


def test_options_are_drawn_by_weight() -> None:
    random = Random(0)
    backbone = Choice("backbone", {"resnet50": 0.8, "resnet34": 0.2})

    share = mean(backbone.draw(random) == "resnet50" for _ in range(2000))

    assert share == pytest.approx(0.8, abs=0.03)


def test_the_mode_is_the_priors_most_probable_value() -> None:
    assert [param.mode() for param in PARAMS] == [1e-4, 0.25, 10, "resnet50", False]


@pytest.mark.parametrize(
    ("declare", "fix"),
    [
        (lambda: Float("learning_rate", 1e-2, 1e-5), "put low first"),
        (lambda: Float("learning_rate", 0.0, 1.0, log=True), "start above 0"),
        (lambda: Float("lr", 0.1, 1.0, prior=Prior(2.0)), "move the center or the range"),
        (lambda: Float("learning rate", 0.1, 1.0), "use letters, digits and _"),
        (lambda: Int("epochs", 1, 2.5), "use Float instead"),
        (lambda: Choice("backbone", ()), "give a tuple"),
        (lambda: Choice("backbone", "resnet50"), "give a tuple"),
        (lambda: Choice("backbone", ("a", "a")), "leave each once"),
        (lambda: Choice("size", ((1, 2), (3, 4))), "use text or numbers"),
        (lambda: Choice("backbone", {"a": -1.0, "b": 2.0}), "not negative, and not all zero"),
        (
            lambda: Choice("backbone", {"a": float("nan"), "b": 2.0}),
            "not negative, and not all zero",
        ),
        (lambda: Choice("backbone", {"a": 0.0, "b": 2.0}), "leave the option out"),
        (lambda: Choice("backbone", {"a": 1.0, "b": 2000.0}), "give it 0.001 or more"),
        (lambda: Toggle("ldam", prior=3), "use a probability"),
        (lambda: Toggle("ldam", prior=float("nan")), "use a probability"),
        (lambda: Toggle("ldam", prior=1), "fix the parameter where one is left"),
        (lambda: Float("lr", 0.1, 1.0, log=True, prior=Prior(0.1)), "move the center inside"),
        (lambda: Float("lr", 0.1, 0.1, prior=Prior(0.1)), "leave the prior out"),
        (lambda: Prior(float("nan")), "a number that is finite"),
        (lambda: Prior(1.0, 0.001), "use low, medium or high"),
        (lambda: Prior(1.0, "certain"), "use low, medium or high"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_the_fix(declare: object, fix: str) -> None:
    with pytest.raises(StudyError, match=fix):
        declare()
