"""From a study file to a stored study: its checks, its stored fields, and its continuation."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.data.manifest.manifest import Row
from search.errors import MachineMismatch
from search.settings import Settings
from search.studies.create import store_study
from search.studies.declare import find_study, resolved
from search.studies.overrides import Overrides, parse_pins
from search.studies.prepare import prepare
from search.studies.rules import check_rules
from spaces.errors import StudyError
from spaces.load import load_study, shipped_studies
from spaces.stored import from_json
from storage.rows import Shown
from storage.store import Store, StudyRow
from tests.storage.samples import new_worker

TOY = """
from spaces.params import Float, Int, Toggle
from spaces.priors import Prior
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=5,
    space=[Float("learning_rate", 1e-5, 1.0, log=True, prior=Prior(1e-3)), Int("epochs", 4, 10)],
    enqueue=[{"learning_rate": 0.01, "epochs": 4}])
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    path = tmp_path / "toy.py"
    path.write_text(TOY)
    return path


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as store:
        yield store


def stored(store: Store, home: Path, overrides: Overrides) -> StudyRow:
    settings = Settings(home=home)
    return store_study(prepare(overrides, settings), overrides, settings, store)


def test_the_priors_mode_is_first_in_the_queue_then_what_was_published(
    store: Store, toy: Path
) -> None:
    stored(store, toy.parent, Overrides(str(toy)))

    queue = [
        trial.system_attrs["fixed_params"]
        for trial in store.optuna_study("toy").get_trials(deepcopy=False)
    ]
    assert queue == [
        {"learning_rate": 1e-3, "epochs": 7},
        {"learning_rate": 0.01, "epochs": 4},
    ]


def test_every_default_of_the_objective_is_stored(store: Store, toy: Path) -> None:
    row = stored(store, toy.parent, Overrides(str(toy)))

    assert from_json(row.definition).found.defaults["noise"] == 0.01


def test_optunas_readers_are_told_the_metric_of_a_new_study_and_of_an_older_one(
    store: Store, toy: Path
) -> None:
    stored(store, toy.parent, Overrides(str(toy)))
    study = store.optuna_study("toy")
    assert (study.metric_names, study.user_attrs) == (["val_loss"], {})

    store.show("toy", Shown("another"))
    stored(store, toy.parent, Overrides(str(toy)))

    assert store.optuna_study("toy").metric_names == ["val_loss"]


def test_going_on_with_the_same_file_changes_nothing(store: Store, toy: Path) -> None:
    first = stored(store, toy.parent, Overrides(str(toy)))

    assert stored(store, toy.parent, Overrides(str(toy))) == first


def test_a_changed_file_is_refused_with_what_changed_and_two_ways_on(
    store: Store, toy: Path
) -> None:
    stored(store, toy.parent, Overrides(str(toy)))
    toy.write_text(TOY.replace('"epochs", 4, 10', '"epochs", 4, 12'))

    with pytest.raises(StudyError, match=r"epochs\.high: 10 -> 12.*undo.*--as toy-2"):
        stored(store, toy.parent, Overrides(str(toy)))


def test_the_changed_file_starts_under_another_name(store: Store, toy: Path) -> None:
    stored(store, toy.parent, Overrides(str(toy)))
    toy.write_text(TOY.replace('"epochs", 4, 10', '"epochs", 4, 12'))

    assert stored(store, toy.parent, Overrides(str(toy), name="toy-2")).name == "toy-2"


def test_a_pin_holds_without_being_repeated_and_cannot_be_changed(store: Store, toy: Path) -> None:
    stored(store, toy.parent, Overrides(str(toy), pins={"epochs": 4}))

    again = stored(store, toy.parent, Overrides(str(toy)))

    assert from_json(again.definition).study.space.names == ("learning_rate",)
    with pytest.raises(StudyError, match=r"fixed\.epochs: 4 -> 5"):
        stored(store, toy.parent, Overrides(str(toy), pins={"epochs": 5}))


def test_a_new_total_is_kept_until_another_is_given(store: Store, toy: Path) -> None:
    stored(store, toy.parent, Overrides(str(toy)))
    stored(store, toy.parent, Overrides(str(toy), trials=9))

    again = stored(store, toy.parent, Overrides(str(toy)))

    assert from_json(again.definition).study.trials == 9


def test_new_words_and_a_new_patience_are_taken_over_and_the_rest_stays(
    store: Store, toy: Path
) -> None:
    stored(store, toy.parent, Overrides(str(toy), trials=9))
    toy.write_text(TOY.replace("trials=5", 'trials=5, about="Why?", stall_minutes=3.0'))

    again = from_json(stored(store, toy.parent, Overrides(str(toy))).definition).study

    assert (again.about, again.stall_minutes, again.trials) == ("Why?", 3.0, 9)


def test_a_total_below_what_has_begun_is_refused(store: Store, toy: Path) -> None:
    stored(store, toy.parent, Overrides(str(toy)))
    for worker in ("v", "w"):
        store.register_worker("toy", new_worker(worker))
        store.claim("toy", worker, lease_seconds=30)

    with pytest.raises(StudyError, match="give a total of 2 or more"):
        stored(store, toy.parent, Overrides(str(toy), trials=1))


def test_a_rule_that_is_broken_refuses_the_study(toy: Path) -> None:
    toy.write_text(
        TOY.replace('"epochs", 4, 10', '"epoch", 4, 10').replace('"epochs": 4', '"epoch": 4')
    )

    with pytest.raises(StudyError, match=r"no parameter 'epoch'; did you mean 'epochs'.*D01"):
        prepare(Overrides(str(toy)), Settings(home=toy.parent))


@pytest.mark.parametrize(
    ("fixed", "space", "says"),
    [
        (
            {"weights": "pretrained"},
            'Choice("backbone", ("resnet18", "small_cnn"))',
            "no pretrained",
        ),
        ({}, 'Int("epochs", 1, 8)', "set warmup_epochs to 0"),
        ({"label_smoothing": 0.1}, 'Toggle("ldam")', "set label_smoothing to 0"),
        ({}, 'Toggle("ldam"), Float("label_smoothing", 0.0, 0.1)', "set label_smoothing to 0"),
    ],
)
def test_a_study_with_trials_that_must_die_is_refused(
    toy: Path, fixed: dict[str, object], space: str, says: str
) -> None:
    toy.write_text(f"""
from spaces.params import Choice, Float, Int, Toggle
from spaces.study import Study
study = Study(name="doomed", objective="image_classifier", metric="val_loss", direction="minimize",
    fixed={fixed}, space=[{space}])
""")

    with pytest.raises(StudyError, match=f"^doomed: .*{says}"):
        check_rules(find_study(str(toy), Settings(home=toy.parent)))


@pytest.mark.parametrize("name", shipped_studies())
def test_no_trial_of_a_shipped_study_must_die(name: str) -> None:
    study = resolved(load_study(name))

    for each in (study, study.for_practice()):
        assert {finding.level for finding in check_rules(each)} <= {"warn"}


def test_other_data_than_the_studys_is_this_machines_fault(store: Store, toy: Path) -> None:
    overrides, settings = Overrides(str(toy)), Settings(home=toy.parent)
    prepared = prepare(overrides, settings)
    store_study(prepared, overrides, settings, store)
    row = Row("a.png", "a", 0, "a", "", "train", 0, "", (), 0, 0)
    other = replace(prepared, manifest=replace(prepared.manifest, rows=(row,)))

    with pytest.raises(MachineMismatch, match="bring the same files"):
        store_study(other, overrides, settings, store)


def test_pins_are_read_as_what_they_look_like() -> None:
    pins = parse_pins(["a=1", "b=1e-4", "c=true", "d=none", "e=resnet34"])

    assert pins == {"a": 1, "b": 1e-4, "c": True, "d": "none", "e": "resnet34"}
    with pytest.raises(StudyError, match="--set batch_size=64"):
        parse_pins(["batch_size"])
