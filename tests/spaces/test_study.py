"""A study goes to JSON and back, is compared, pinned and made small for practice."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from spaces.errors import StudyError
from spaces.found import Found
from spaces.load import load_study, shipped_studies
from spaces.params import Choice, Float, Toggle
from spaces.priors import Prior
from spaces.stored import StoredStudy, differences, fingerprint, from_json, to_json
from spaces.study import Practice, Pruning, Study


def small_study(**changes: Any) -> Study:
    declared: dict[str, Any] = {
        "name": "small",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "space": [Float("learning_rate", 1e-4, 1.0, log=True), Toggle("ldam")],
    }
    return Study(**declared | changes)


@pytest.mark.parametrize("name", shipped_studies())
def test_every_shipped_study_comes_back_from_json(name: str) -> None:
    study = StoredStudy(load_study(name), Found(too_large=["resnet50"], is_practice=True))

    again = from_json(json.loads(json.dumps(to_json(study))))

    assert again == study
    assert fingerprint(again) == fingerprint(study)


def test_options_that_json_has_no_keys_for_come_back() -> None:
    study = small_study(space=[Choice("size", {None: 0.5, 32: 0.25, True: 0.25})])

    assert from_json(json.loads(json.dumps(to_json(StoredStudy(study))))).study == study


def test_what_may_change_leaves_the_fingerprint_alone() -> None:
    study = small_study()

    changed = replace(study, trials=99, about="other words", stall_minutes=1.0)

    assert fingerprint(StoredStudy(changed)) == fingerprint(StoredStudy(study))


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "train_loss"},
        {"value": "last"},
        {"seed": 1},
        {"sampler": "tpe"},
        {"at_least": {"ldam": 2}},
        {"pruning": Pruning("none")},
        {"fixed": {"epochs": 3}},
        {"space": [Float("learning_rate", 1e-4, 2.0, log=True), Toggle("ldam")]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_a_result_changes_the_fingerprint_and_is_named(change: dict[str, Any]) -> None:
    study, changed = StoredStudy(small_study()), StoredStudy(small_study(**change))

    assert fingerprint(changed) != fingerprint(study)
    assert next(iter(change)) in differences(study, changed)[0]


def test_drawn_values_stand_over_pins_over_fixed_ones_over_defaults() -> None:
    written = small_study(fixed={"epochs": 5, "noise": 0.1})
    study = StoredStudy(written, Found(defaults={"epochs": 10, "depth": 2})).pinned({"noise": 0.2})

    config = study.config({"learning_rate": 0.01})

    assert config == {"depth": 2, "epochs": 5, "noise": 0.2, "learning_rate": 0.01}


def test_a_pinned_parameter_is_no_longer_searched() -> None:
    assert small_study().pinned({"ldam": True}).space.names == ("learning_rate",)


def test_a_pin_holds_over_enqueued_trials_and_on_practice_data() -> None:
    study = small_study(
        enqueue=[{"ldam": False, "learning_rate": 0.1}],
        practice=Practice(fixed={"epochs": 3}, space=[Float("learning_rate", 1e-3, 0.1)]),
    )

    pinned = study.pinned({"learning_rate": 0.5, "epochs": 9})

    assert pinned.enqueue == ({"ldam": False},)
    assert pinned.for_practice().fixed == {"learning_rate": 0.5, "epochs": 9}
    assert pinned.for_practice().space.names == ("ldam",)


def test_a_default_that_is_written_out_is_no_change() -> None:
    study = StoredStudy(small_study(), Found(defaults={"epochs": 10}))
    written = replace(study, study=small_study(fixed={"epochs": 10}))

    assert fingerprint(written) == fingerprint(study)
    assert differences(study, written) == []


def test_the_practice_form_has_its_own_name_values_and_ranges() -> None:
    smaller = Float("learning_rate", 1e-3, 0.1, log=True)
    study = small_study(
        practice=Practice(fixed={"epochs": 3}, space=[smaller], trials=4, folds=3), folds=5
    )

    practice = study.for_practice()

    assert (practice.name, practice.trials) == ("small-practice", 4)
    assert practice.space.get("learning_rate") == smaller
    assert practice.fixed == {"epochs": 3}
    assert practice.folds == 3
    assert small_study(folds=5, practice=Practice(trials=4)).for_practice().folds == 5


def test_enqueued_trials_go_to_practice_with_what_can_be_drawn_there() -> None:
    study = small_study(
        space=[Choice("backbone", ("large", "larger")), Toggle("ldam"), Float("dropout", 0, 1)],
        enqueue=[
            {"backbone": "large", "ldam": True, "dropout": 0.5},
            {"backbone": "larger", "ldam": True, "dropout": 0.5},
            {"backbone": "large"},
        ],
        practice=Practice(fixed={"dropout": 0.0}, space=[Choice("backbone", ("small",))]),
    )
    assert study.for_practice().enqueue == ({"ldam": True},)


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"name": "My Study"}, "use a-z"),
        ({"direction": "down"}, "use minimize or maximize"),
        ({"sampler": "bayes"}, "use auto or tpe or gp or random"),
        ({"sampler": "TPE"}, "did you mean 'tpe'"),
        ({"value": "mean"}, "use best or last"),
        ({"fixed": {"epochs": Prior(3)}}, "give the value, or search it"),
        ({"enqueue": [{"ldam": 1}]}, "write ldam=True"),
        ({"space": [Toggle("ldam"), Toggle("drw", when={"ldam": "true"})]}, "did you mean True"),
        ({"at_least": {"learning_rate": 2}}, "name a Choice or a Toggle"),
        ({"at_least": {"ldam": 4}, "trials": 7}, "takes 8 of 7; give at most 3, or 8 trials"),
        (
            {"at_least": {"ldam": 2}, "trials": 4, "enqueue": [{"ldam": False}] * 2},
            "takes 5 of 4; give at most 1, or 5 trials",
        ),
        ({"trials": 0}, "from 1 on"),
        ({"data": None}, "give it a FileNames or"),
        ({"pruning": "median"}, "give it a Pruning"),
        ({"fixed": {"epochs"}}, "give it a mapping from text"),
        ({"fixed": {1: 2}}, "give it a mapping from text"),
        ({"seed": 10**30}, "use at most 9223372036854775807"),
        ({"stall_minutes": float("inf")}, "give it a number"),
        ({"objective": None}, "give it a name such as"),
        ({"seed": 1.5}, "give it a whole number"),
        ({"stall_minutes": float("nan")}, "give it a number"),
        ({"outage_minutes": 0}, "outage_minutes is 0; use one above 0"),
        ({"keep": -1}, "keep is -1; use 0 or more"),
        ({"folds": 1}, "folds is 1; use 2 to 100, or 0"),
        ({"folds": 300}, "use 2 to 100"),
        ({"folds": 5, "pruning": Pruning(first_epoch=3)}, "leave first_epoch out"),
        ({"fixed": {"ldam": True}}, "keep one of them"),
        ({"enqueue": [{"lr": 0.1}]}, "did you mean 'learning_rate'"),
        ({"enqueue": [{"learning_rate": 5.0}]}, "change the trial or the range"),
        ({"practice": Practice(space=[Toggle("drw")])}, "not searched"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused_with_the_fix(
    change: dict[str, Any], fix: str
) -> None:
    with pytest.raises(StudyError, match=fix):
        small_study(**change)


def test_pruning_never_judges_epoch_one() -> None:
    with pytest.raises(StudyError, match="start at 2 or later"):
        Pruning(first_epoch=1)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Pruning(startup_trials="3"),  # type: ignore[arg-type]
        lambda: Pruning(first_epoch=2.5),  # type: ignore[arg-type]
        lambda: Practice(fixed=None),  # type: ignore[arg-type]
        lambda: Practice(folds=True),
        lambda: Float("lr", 0.1, 1.0, log="yes"),  # type: ignore[arg-type]
    ],
)
def test_a_part_of_another_type_is_refused(declare: Callable[[], object]) -> None:
    with pytest.raises(StudyError, match="; give it "):
        declare()


@pytest.mark.parametrize(
    "definition",
    [
        {},
        [1],
        None,
        "words",
        {"study": "words", "found": {}},
        {"study": {"name": "toy"}, "found": {}},
        {"study": {"name": "toy", "data": None, "space": []}, "found": {}},
    ],
    ids=["empty", "list", "null", "text", "study is text", "no space", "no data"],
)
def test_a_definition_of_any_other_form_is_an_error_with_its_fix(definition: Any) -> None:
    with pytest.raises(StudyError, match="use the version of search that stored it"):
        from_json(definition)
