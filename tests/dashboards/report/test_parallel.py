"""The lines of trials through one axis per hyperparameter."""

from dataclasses import replace

import pytest

from dashboards.report.figures import parallel_figure, still_parallel
from dashboards.report.lines import TrialLine
from dashboards.report.page import in_script
from dashboards.report.parallel import ABSENT, MOST, parallel_lines
from spaces.params import Choice, Float, Toggle
from spaces.study import Study

SPACE = [
    Float("learning_rate", 1e-4, 1e-2, log=True),
    Toggle("ldam"),
    Float("ldam_max_margin", 0.0, 1.0, when={"ldam": True}),
    Choice("backbone", ("a", "b", "c")),
]
STUDY = Study(
    name="lines", objective="toy_curve", metric="val_loss", direction="minimize", space=SPACE
)


def line(number: int, value: float, **params: object) -> TrialLine:
    drawn = {"learning_rate": 1e-3, "ldam": False, "backbone": "b", **params}
    return TrialLine(
        number=number, outcome="finished", value=value, params=drawn, epochs=1, attempts=1
    )


def test_places_follow_the_scale_and_a_missing_parameter_stands_below() -> None:
    found = parallel_lines(STUDY, [line(0, 1.0), line(1, 2.0, ldam=True, ldam_max_margin=0.25)])
    assert found is not None
    assert found.numbers == [1, 0]  # the best is drawn last
    places = {axis.name: list(axis.places) for axis in found.axes}
    assert places["learning_rate"] == [0.5, 0.5]
    assert places["ldam"] == [1, 0]
    assert places["ldam_max_margin"] == [0.25, ABSENT]
    assert places["backbone"] == [0.5, 0.5]
    assert places["val_loss"][1] == 1
    assert found.axes[2].ticks[0] == (ABSENT, "–")


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_best_value_is_at_the_top_whichever_way_is_better(direction: str) -> None:
    study = replace(STUDY, direction=direction)
    best = 0 if direction == "minimize" else 9
    found = parallel_lines(study, [line(number, float(number)) for number in range(10)])
    assert found is not None
    assert found.numbers[-1] == best
    assert found.axes[-1].places[-1] == 1


def test_of_10000_trials_the_best_and_an_even_selection_are_drawn() -> None:
    trials = [line(number, float(number % 977)) for number in range(10_000)]
    found = parallel_lines(STUDY, trials)
    assert found is not None
    assert len(found.numbers) == MOST
    assert found.left_out == 10_000 - MOST
    assert {trial.number for trial in sorted(trials, key=lambda each: each.value or 0)[:300]} <= {
        *found.numbers
    }
    assert len(in_script(parallel_figure(found))) < 20_000
    still = still_parallel(found)
    assert len(still.others) + len(still.best) == 100


def test_one_trial_makes_no_lines() -> None:
    assert parallel_lines(STUDY, [line(0, 1.0)]) is None
