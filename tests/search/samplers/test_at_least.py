"""Options that are guaranteed finished trials get them, spread over the study."""

import itertools
from functools import partial

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from search.samplers.at_least import lacks_finished
from search.samplers.choose import sampler_for
from spaces.errors import StudyError
from spaces.params import Choice, Float, Toggle
from spaces.study import Practice, Study
from tests.search.samplers.observing import Observing

BACKBONES = Choice("backbone", {"resnet50": 0.97, "resnet34": 0.03})
FINISHED = TrialState.COMPLETE


def study(**declared: object) -> Study:
    """A study of forty trials with a backbone that its prior hardly ever draws."""
    given = {
        "trials": 40,
        "at_least": {"backbone": 16},
        "space": [BACKBONES, Float("rate", 0, 1), Toggle("ldam")],
        **declared,
    }
    return Study(
        name="small",
        objective="toy_curve",
        metric="val_loss",
        direction="minimize",
        **given,  # type: ignore[arg-type]
    )


def search(declared: Study, lost: int = 0, at_once: int = 1) -> optuna.Study:
    """Search with a value that the rare backbone only makes worse.

    lost: of the trials of the rare backbone, the first that fail.
    at_once: how many trials run at the same time.
    """
    made = optuna.create_study()
    failing = itertools.count()
    for first in range(0, declared.trials, at_once):
        running = []
        for number in range(first, min(first + at_once, declared.trials)):
            made.sampler = sampler_for(declared, number, Observing(made))
            running.append(made.ask())
            declared.space.suggest(running[-1])
        for trial in running:
            is_rare = trial.params["backbone"] == "resnet34"
            if is_rare and next(failing) < lost:
                made.tell(trial, state=TrialState.FAIL)
            else:
                made.tell(trial, float(is_rare) + trial.params["rate"])
    return made


def finished(made: optuna.Study, option: object = "resnet34", name: str = "backbone") -> list[int]:
    """The numbers of the finished trials with an option."""
    return [
        trial.number
        for trial in made.trials
        if trial.state == FINISHED and trial.params[name] == option
    ]


def test_every_option_gets_its_finished_trials_spread_over_the_study() -> None:
    numbers = finished(search(study()))

    assert len(numbers) >= 16
    assert np.all(np.diff([0, *numbers, 40]) <= 6)  # none of them waits for the end


def test_without_a_guarantee_the_rare_option_gets_fewer() -> None:
    assert len(finished(search(study(at_least={})))) < 16


def test_workers_that_draw_at_the_same_moment_take_different_missing_options() -> None:
    space = [Choice("noise", ("none", "little", "much")), Float("rate", 0, 1)]
    declared = study(trials=6, at_least={"noise": 2}, space=space)
    made = optuna.create_study()
    for noise in ("none", "none", "little", "much"):
        made.enqueue_trial({"noise": noise, "rate": 0.5})
        declared.space.suggest(trial := made.ask())
        made.tell(trial, 0.5)
    numbers = [made.ask().number for _ in range(2)]

    drawn = [sampler_for(declared, number, Observing(made)).drawing for number in numbers]

    assert [each.why["guaranteed"]["noise"] for each in drawn] == ["little", "much"]


@pytest.mark.parametrize("at_once", [1, 4])
def test_failed_trials_are_made_up_for(at_once: int) -> None:
    assert len(finished(search(study(), lost=3, at_once=at_once))) >= 16


def test_a_guarantee_that_takes_the_whole_budget_is_kept() -> None:
    made = search(study(at_least={"backbone": 20, "ldam": 20}), at_once=3)

    assert [len(finished(made, option)) for option in ("resnet50", "resnet34")] == [20, 20]
    assert [len(finished(made, option, "ldam")) for option in (True, False)] == [20, 20]


def test_a_guaranteed_option_is_named_with_the_draw() -> None:
    made, declared = search(study()), study(trials=41, at_least={"backbone": 20})
    sampler = sampler_for(declared, 40, Observing(made))

    assert sampler.drawing.why["guaranteed"] == {"backbone": "resnet34"}


def test_an_option_lacks_finished_trials_until_it_has_them() -> None:
    made, rare = search(study()), {"backbone": "resnet34", "rate": 0.5, "ldam": False}
    count = len(finished(made))

    assert lacks_finished(study(at_least={"backbone": count + 1}), rare, partial(Observing, made))
    assert not lacks_finished(study(at_least={"backbone": count}), rare, partial(Observing, made))
    assert not lacks_finished(study(at_least={}), rare, partial(Observing, made))


@pytest.mark.parametrize(
    ("at_least", "fix"),
    [
        ({"backbone": 21}, "give at most 20, or 42 trials or more"),
        ({"backbone": 0}, "give 1 or more"),
        ({"backbnoe": 1}, "did you mean 'backbone'"),
        ({"rate": 1}, "name a Choice or a Toggle"),
        ({"backbone": 1.5}, "a whole number"),
    ],
)
def test_a_guarantee_that_cannot_be_given_is_refused(at_least: object, fix: str) -> None:
    with pytest.raises(StudyError, match=fix):
        study(at_least=at_least)


def test_a_guarantee_about_a_conditional_parameter_names_the_one_that_it_depends_on() -> None:
    space = [Toggle("ldam"), Choice("kind", ("a", "b"), when={"ldam": True})]

    with pytest.raises(StudyError, match="name 'ldam', on which it depends"):
        Study(**{**vars(study()), "space": space, "at_least": {"kind": 2}})


def test_practice_and_fixed_values_take_what_is_left_of_a_guarantee() -> None:
    small = study(practice=Practice(trials=8)).for_practice()

    assert small.at_least == {"backbone": 4}
    assert study().pinned({"backbone": "resnet34"}).at_least == {}
