"""Which trials are stopped early, in sentences."""

from collections.abc import Mapping
from typing import Any

import pytest

from dashboards.analysis.methods.pruning import pruning_of, stops_at_rungs
from spaces.found import Found
from spaces.params import Choice, Int, Param, Toggle
from spaces.script import Script
from spaces.stored import StoredStudy
from spaces.study import Pruning, Study

EPOCHS = Int("epochs", 2, 20)
RUNGS = (
    "A trial is stopped at 1/6, 1/3 or 2/3 of its schedule after warm-up and unfreezing, for not"
    " being among the best third there."
)


def said(*space: Param, be: str = "is", **changes: Any) -> str:
    declared = {"name": "s", "objective": "image_classifier", "metric": "val_loss"}
    study = Study(**{**declared, "direction": "minimize", "space": space, **changes})  # type: ignore[arg-type]
    return pruning_of(StoredStudy(study, Found(defaults={"epochs": 10})), be)


def test_the_rule_of_rungs_names_the_trials_that_are_compared() -> None:
    assert said(EPOCHS) == (
        f"{RUNGS} It is compared with all trials that got there before it, whatever became of"
        " them. The first 3 are not judged."
    )
    kin = Toggle("ldam"), Choice("schedule", ("cosine", "plateau"))
    assert "with the trials of the same ldam and schedule that got there" in said(*kin)
    assert said(*kin).endswith("The first 3 of each kind are not judged.")
    assert said(EPOCHS, be="was").endswith("The first 3 were not judged.")


@pytest.mark.parametrize("rule", ["auto", "median"])
def test_own_code_without_epochs_stops_no_trial_early(rule: str) -> None:
    own = {"kind": "script", "reference": "python train.py", "fields": None}
    study = Study(
        name="s",
        objective=Script("python train.py"),
        metric="dice",
        direction="maximize",
        pruning=Pruning(rule),
        space=[Choice("width", (1, 2))],
    )
    stored = StoredStudy(study, Found(own=own))
    assert pruning_of(stored).startswith("No trial is stopped early, because no `epochs` tells")
    assert not stops_at_rungs(stored)
    assert "is stopped" in pruning_of(stored.pinned({"epochs": 6}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pruning": Pruning(first_epoch=5)}, "after warm-up and unfreezing, from epoch 5 on, for"),
        ({"pruning": Pruning("none")}, "No trial is stopped early."),
        ({"trials": 3}, "No trial is stopped early, because 4 are needed to compare one."),
        ({"fixed": {"epochs": 2}}, "No trial is stopped early, because its schedule is too short."),
        ({"folds": 2}, "No trial is stopped early."),
        (
            {"folds": 5},
            "From the third fold on, a trial is stopped between folds for folds that are"
            " significantly worse than the best trial's.",
        ),
        (
            {"pruning": Pruning("median", first_epoch=5)},
            "From epoch 5 on, a trial is stopped early for being worse than the median of the"
            " others at the same share of their schedules.",
        ),
        (
            {"pruning": Pruning("median")},
            "From the end of warm-up and a quarter of its schedule on, a trial is stopped early",
        ),
    ],
)
def test_each_rule_is_told_as_it_applies(changes: Mapping[str, Any], words: str) -> None:
    assert words in said(**changes)
