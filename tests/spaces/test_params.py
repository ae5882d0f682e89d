"""Parameters: their most probable values, what they refuse, and their calls to Optuna."""

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
def test_optuna_replays_what_a_parameter_suggests(param: Param) -> None:
    trial = optuna.trial.FixedTrial({param.name: param.mode()})

    assert param.suggest(trial) == param.mode()


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
        (lambda: Choice("backbone", {"a": -1.0, "b": 2.0}), "give every option a finite number"),
        (lambda: Choice("backbone", {"a": float("nan"), "b": 2.0}), "the weight nan; give every"),
        (lambda: Choice("backbone", {"a": "0.8", "b": "0.2"}), "the weight '0.8'; give every"),
        (lambda: Choice("backbone", {"a": True, "b": 2.0}), "the weight True; give every"),
        (lambda: Choice("backbone", {"a": 0, "b": 0}), "add up to 0; give every option"),
        (lambda: Choice("backbone", {"a": 0.0, "b": 2.0}), "leave the option out"),
        (lambda: Choice("backbone", {"a": 1.0, "b": 2000.0}), "give it 0.001 or more"),
        (lambda: Toggle("ldam", prior=3), "use a probability"),
        (lambda: Toggle("ldam", prior=float("nan")), "use a probability"),
        (lambda: Toggle("ldam", prior=1), "fix the parameter where one is left"),
        (lambda: Float("lr", 0.1, 1.0, log=True, prior=Prior(0.1)), "move the center inside"),
        (lambda: Float("lr", 0.1, 0.1, prior=Prior(0.1)), "leave the prior out"),
        (lambda: Prior(float("nan")), "a number that is finite"),
        (lambda: Prior("resnet50"), "options have weights, Choice"),
        (lambda: Float("lr", 0.1, 1.0, prior=0.3), 'write prior=Prior\\(0.3, "medium"\\)'),
        (lambda: Float("lr", 0.1, 1.0, prior=(0.3, "low")), "write prior=Prior\\(0.3"),
        (lambda: Prior(1.0, 0.001), "use low, medium or high"),
        (lambda: Prior(1.0, "High"), "did you mean 'high'"),
        (lambda: Prior(1.0, "certain"), "use low, medium or high"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_the_fix(declare: object, fix: str) -> None:
    with pytest.raises(StudyError, match=fix):
        declare()


def test_a_choice_without_a_prior_has_as_many_options_as_one_likes() -> None:
    assert len(Choice("size", tuple(range(2000))).choices) == 2000
