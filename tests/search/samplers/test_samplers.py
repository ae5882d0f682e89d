"""Where values come from: a stream for each trial, and a way that the other trials decide."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import optuna
import pytest
from numpy.linalg import LinAlgError
from optuna.distributions import IntDistribution

from search.samplers.choose import sampler_for
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.sampling import FIRST_OF_TPE
from spaces.study import Study
from storage.rows import Drawing, Way
from tests.search.samplers.observing import Observing

STUDY = Study(
    name="small",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    space=[
        Choice("backbone", {"resnet50": 0.9, "resnet34": 0.1}),
        Float("learning_rate", 1e-5, 1e-1, log=True, prior=Prior(1e-3, "high")),
        Int("epochs", 1, 100),
    ],
    sampler="tpe",
)

CONDITIONAL = [  # 2 * (1 + 5) configurations
    Choice("backbone", ("resnet50", "resnet34")),
    Toggle("ldam"),
    Int("epochs", 1, 5, when={"ldam": True}),
]

WITHOUT_PRIORS = [
    Choice("backbone", ("resnet50", "resnet34")),
    Float("learning_rate", 1e-5, 1e-1, log=True),
    Int("epochs", 1, 100),
]


def draw(number: int, seed: int = 0, finished: int = 0) -> dict[str, object]:
    """The values that trial `number` of a study with some finished trials draws."""
    study = with_finished(finished)
    study.sampler = sampler_for(replace(STUDY, seed=seed), number, Observing(study))
    return STUDY.space.suggest(study.ask())


def with_finished(count: int, better: Callable[[dict[str, Any]], float] | None = None) -> Any:
    """A study with uniformly drawn trials that have finished; fewer epochs are better.

    better: another value, of which less is better.
    """
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(count):
        trial = study.ask()
        drawn = STUDY.space.suggest(trial)
        study.tell(trial, better(drawn) if better else float(drawn["epochs"]))  # type: ignore[arg-type]
    return study


def drawing(number: int, study: Any, ways: Sequence[Way] = (), **changed: Any) -> Drawing:
    """How trial `number` is drawn beside the trials of a study."""
    return sampler_for(replace(STUDY, **changed), number, Observing(study, ways)).drawing


@pytest.mark.parametrize("finished", [0, 8, 60])
def test_a_number_draws_the_same_values_whoever_draws_them(finished: int) -> None:
    assert draw(61, finished=finished) == draw(61, finished=finished)


@pytest.mark.parametrize("finished", [0, 8])
def test_no_two_numbers_share_a_stream(finished: int) -> None:
    drawn = [str(draw(number, finished=finished)) for number in range(16)]

    assert len(set(drawn)) == 16


def test_another_study_seed_gives_another_search() -> None:
    assert draw(1) != draw(1, seed=7)


def test_the_first_trial_is_the_most_probable_configuration() -> None:
    assert draw(0) == STUDY.space.mode()


def test_half_of_the_start_up_draws_follow_the_prior() -> None:
    seeds = range(100)

    trusting = [draw(2, seed)["backbone"] == "resnet50" for seed in seeds]
    uniform = [draw(3, seed)["backbone"] == "resnet50" for seed in seeds]

    assert mean(trusting) > 0.8
    assert 0.35 < mean(uniform) < 0.65
    assert [drawing(number, with_finished(3)).way for number in (2, 3)] == [Way.PRIOR, Way.UNIFORM]


def test_start_up_lasts_until_four_trials_have_ended_however_many_run() -> None:
    study = with_finished(3)
    for _ in range(9):
        STUDY.space.suggest(study.ask())

    assert drawing(12, study) == Drawing(Way.PRIOR)


def test_after_start_up_the_draws_follow_the_evidence() -> None:
    epochs = [draw(60, seed, finished=60)["epochs"] for seed in range(20)]

    assert mean(epochs) < 30  # fewer epochs were better in every finished trial


def off(drawn: dict[str, Any]) -> float:
    """How far the rate is from its prior's center: a value for which this prior is right."""
    return abs(math.log10(drawn["learning_rate"]) + 3)


def test_priors_that_draw_better_trials_are_drawn_with_and_others_are_not() -> None:
    study, seeds = with_finished(20, off), range(40)
    better = np.argsort([trial.value for trial in study.trials])[:10].tolist()
    is_better = [number in better for number in range(20)]
    ways = {True: Way.PRIOR, False: Way.UNIFORM}
    good = [drawing(20, study, [ways[each] for each in is_better], seed=seed) for seed in seeds]
    bad = [drawing(20, study, [ways[not each] for each in is_better], seed=seed) for seed in seeds]

    assert good[0].why["record"] > 0.95 > 0.05 > bad[0].why["record"]
    assert good[0].why["compared"] == {"with": 10, "without": 10}
    assert sum(each.way is Way.MODEL_WITH_PRIOR for each in good) > 35
    assert sum(each.way is Way.MODEL_WITH_PRIOR for each in bad) < 8


def test_each_parameter_is_trusted_by_its_own_evidence() -> None:
    def value(drawn: dict[str, Any]) -> float:  # the prior of the rate is right, the other is wrong
        return off(drawn) + (drawn["backbone"] == "resnet50")

    why = drawing(30, with_finished(30, value)).why

    assert why["trust"]["learning_rate"] > 0.9 > 0.2 > why["trust"]["backbone"]
    assert why["model"] == "tpe"


def test_which_priors_are_believed_is_noted_whatever_the_way() -> None:
    def value(drawn: dict[str, Any]) -> float:
        return off(drawn) + (drawn["backbone"] == "resnet50")

    study = with_finished(30, value)
    noted = [drawing(30, study, seed=seed) for seed in range(20)]

    assert len({each.way for each in noted}) > 1
    assert {tuple(each.why["believed"]) for each in noted} == {("learning_rate",)}


def test_a_study_that_leaves_the_model_open_has_a_process_first_and_tpe_later() -> None:
    few, many = (with_finished(count) for count in (FIRST_OF_TPE - 1, FIRST_OF_TPE))

    drawn = [drawing(study.trials[-1].number + 1, study, sampler="auto") for study in (few, many)]

    assert [each.why["model"] for each in drawn] == ["gp", "tpe"]


def test_a_model_that_fails_ends_no_trial_and_the_draw_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise LinAlgError("no root")

    monkeypatch.setattr("search.samplers.gp.model.fit", fail)
    study = with_finished(20)
    declared = replace(STUDY, sampler="gp", space=WITHOUT_PRIORS)
    study.sampler = sampler = sampler_for(declared, 20, Observing(study))
    with caplog.at_level(logging.WARNING):
        drawn = STUDY.space.suggest(study.ask())

    why = "the Gaussian process failed: no root"
    assert STUDY.space.is_whole(drawn)
    assert (sampler.drawing.way, sampler.drawing.why["failed"]) == (Way.UNIFORM, why)
    assert f"trial 20 is drawn uniformly: {why}" in caplog.text


def test_after_three_hundred_trials_the_priors_are_not_asked_any_more() -> None:
    assert drawing(301, with_finished(301)) == Drawing(Way.MODEL, {"model": "tpe"})


def test_a_study_of_draws_at_random_is_uniform_from_its_second_trial_on() -> None:
    study = with_finished(20)

    assert {drawing(number, study, sampler="random").way for number in range(1, 30)} == {
        Way.UNIFORM
    }


def test_a_configuration_that_a_trial_has_is_drawn_again() -> None:
    few = replace(STUDY, space=[Choice("backbone", ("a", "b", "c")), Toggle("ldam")])
    study = optuna.create_study()
    for number in range(6):
        study.sampler = sampler_for(few, number, Observing(study))
        few.space.suggest(study.ask())  # and runs

    assert len({str(trial.params) for trial in study.trials}) == 6
    none_is_left = sampler_for(few, 6, Observing(study))
    assert none_is_left.drawing == Drawing(Way.UNIFORM)
    study.sampler = none_is_left
    assert few.space.suggest(study.ask())


def test_where_every_configuration_of_a_space_with_conditions_was_tried_none_is_drawn_again() -> (
    None
):
    study, few = optuna.create_study(), replace(STUDY, space=CONDITIONAL)
    drawn = [drawn_next(study, few) for _ in range(12)]
    last = sampler_for(few, 12, Observing(study))

    assert len({str(each) for each in drawn}) == 12
    assert last.drawing == Drawing(Way.UNIFORM)
    assert not last.is_new


def test_the_last_configuration_of_many_is_found() -> None:
    study, several = optuna.create_study(), replace(STUDY, space=[Int("epochs", 1, 1000)])
    for epochs in set(range(1, 1001)) - {617}:
        study.add_trial(
            optuna.create_trial(
                state=optuna.trial.TrialState.FAIL,
                params={"epochs": epochs},
                distributions={"epochs": IntDistribution(1, 1000)},
            )
        )

    assert drawn_next(study, several) == {"epochs": 617}


def test_a_space_whose_options_were_all_tried_has_real_numbers_left() -> None:
    few = [Toggle("ldam"), Float("margin", 0, 1, when={"ldam": True})]
    study, declared = optuna.create_study(), replace(STUDY, space=few)
    drawn = [drawn_next(study, declared) for _ in range(12)]

    assert len({str(each) for each in drawn}) == 12


def test_what_the_study_has_queued_is_drawn_by_no_other_trial() -> None:
    study = optuna.create_study()
    likely = replace(STUDY, space=[Choice("backbone", {"a": 0.99, "b": 0.01})])
    study.ask()  # the first trial, which has the prior's mode, but has not drawn it yet
    study.ask()

    assert drawn_next(study, likely) == {"backbone": "b"}


def drawn_next(study: optuna.Study, declared: Study) -> dict[str, Any]:
    """The values that the next trial of a study draws; it runs then."""
    study.sampler = sampler_for(declared, len(study.trials), Observing(study))
    return declared.space.suggest(study.ask())


def test_the_values_that_a_trial_was_queued_with_decide_the_others() -> None:
    conditional = replace(
        STUDY,
        space=[
            Toggle("ldam"),
            Float("margin", 0, 1, when={"ldam": True}, prior=Prior(0.5, "high")),
        ],
    )
    drawn = []
    for number in range(40):
        study = optuna.create_study()
        study.enqueue_trial({"ldam": True})
        study.sampler = sampler_for(conditional, 2 * number + 2, Observing(study))
        drawn.append(conditional.space.suggest(study.ask()))

    assert all(each["ldam"] for each in drawn)
    assert mean(abs(each["margin"] - 0.5) < 0.25 for each in drawn) > 0.85  # two sigma of its prior


def test_a_model_draws_what_goes_with_the_values_that_a_trial_was_queued_with() -> None:
    def loss(drawn: dict[str, Any]) -> float:  # each model has a rate of its own
        return abs(drawn["rate"] - (0.2 if drawn["model"] == "a" else 0.8))

    space = [Choice("model", ("a", "b")), Float("rate", 0, 1)]
    declared, study = replace(STUDY, space=space, sampler="tpe"), optuna.create_study()
    study.sampler = optuna.samplers.RandomSampler(seed=1)
    for _ in range(60):
        trial = study.ask()
        study.tell(trial, loss(declared.space.suggest(trial)))
    rates: dict[str, list[Any]] = {"a": [], "b": []}
    for seed, model in enumerate(["a", "b"] * 15):
        study.enqueue_trial({"model": model})
        observed = Observing(study)
        study.sampler = sampler_for(replace(declared, seed=seed), observed.count - 1, observed)
        trial = study.ask()
        rates[model].append(declared.space.suggest(trial)["rate"])
        study.tell(trial, state=optuna.trial.TrialState.FAIL)

    assert mean(rates["a"]) < 0.3 < 0.7 < mean(rates["b"])
