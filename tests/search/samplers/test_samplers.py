"""Where values come from: a stream for each trial, half of the start-up draws from the prior."""

from statistics import mean

import optuna
import pytest

from search.samplers.choose import STARTUP_TRIALS, sampler_for
from spaces.params import Choice, Float, Int
from spaces.priors import Prior
from spaces.study import Study
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
)


def draw(number: int, seed: int = 0, finished: int = 0) -> dict[str, object]:
    """The values that trial `number` of a study with some finished trials draws."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(finished):
        trial = study.ask()
        study.tell(trial, float(STUDY.space.suggest(trial)["epochs"]))
    study.sampler = sampler_for(Study(**{**vars(STUDY), "seed": seed}), number, Observing(study))
    return STUDY.space.suggest(study.ask())


@pytest.mark.parametrize("number", [0, 1, STARTUP_TRIALS, STARTUP_TRIALS + 1])
def test_a_number_draws_the_same_values_whoever_draws_them(number: int) -> None:
    assert draw(number, finished=8) == draw(number, finished=8)


@pytest.mark.parametrize("finished", [0, 8])
def test_no_two_numbers_share_a_stream(finished: int) -> None:
    drawn = [str(draw(number, finished=finished)) for number in range(16)]

    assert len(set(drawn)) == 16


def test_another_study_seed_gives_another_search() -> None:
    assert draw(1) != draw(1, seed=7)


def test_half_of_the_start_up_draws_follow_the_prior() -> None:
    seeds = range(100)

    trusting = [draw(2, seed)["backbone"] == "resnet50" for seed in seeds]
    uniform = [draw(3, seed)["backbone"] == "resnet50" for seed in seeds]

    assert mean(trusting) > 0.8
    assert 0.35 < mean(uniform) < 0.65


def test_after_start_up_the_draws_follow_the_evidence() -> None:
    epochs = [draw(STARTUP_TRIALS, seed, finished=60)["epochs"] for seed in range(20)]

    assert mean(epochs) < 30  # fewer epochs were better in every finished trial
