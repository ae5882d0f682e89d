"""Every shipped study on its practice data: checked, searched and exported by the command line."""

import json
from collections.abc import Mapping

import pytest
import yaml

from spaces.load import load_study, shipped_studies
from spaces.study import Study

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

STUDIES = shipped_studies()
# What makes one trial of one epoch out of a study, where its schedule has phases of its own.
SHORT = {
    "epochs": 1,
    "warmup_epochs": 0,
    "warmup_steps": 0,
    "frozen_epochs": 0,
    "epochs_per_stage": 0,
    "min_epochs": 0,
}
# A batch of the largest size that a practice form draws; all images take four times as long.
FEW = {"max_train_samples": 64, "max_val_samples": 32}


# The digits, which need no practice data, are searched in test_digits.py.
@pytest.mark.parametrize("name", sorted(set(STUDIES) - {"digits"}))
def test_a_shipped_study_ends_an_epoch_and_exports_it(light_place, name):
    data = practice_data(light_place, name)
    short = SHORT if practice_form(name).objective == "volume_classifier" else SHORT | FEW
    pins = [word for key, value in short.items() for word in ("--set", f"{key}={value}")]

    # Stored and worked on in this process, which has then loaded torch for the next study, too.
    run = ("run", "--study", name, "--trials", "1", "--workers", "0", *data, *pins)
    assert light_place.search_here(*run) == 0
    assert light_place.search_here("worker", "--study", stored_name(name)) == 0

    exported = export(light_place, stored_name(name))
    folds = practice_form(name).folds or 1
    assert exported["metrics"]["last_epoch"]["epoch"] == folds
    assert exported["practice_data"]


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_ends_well_in_four_trials(make_place, capfd, name):
    place = make_place()
    data = practice_data(place, name)
    run = ("run", "--study", name, "--trials", "4", "--workers", "2", "--no-dashboard", *data)

    assert place.search(*run, timeout_seconds=800) == 0

    trials = status(place, capfd, stored_name(name))["trials"]
    # Recipes to be tried first may be more than four: they wait for a larger total.
    states = [trial["state"] for trial in trials if trial["state"] != "WAITING"]
    assert len(states) == 4
    assert set(states) <= {"COMPLETE", "PRUNED"}
    assert "COMPLETE" in states
    assert export(place, stored_name(name))["value"]["value"] is not None


def practice_form(name: str) -> Study:
    """The study as it runs here."""
    study = load_study(name)
    return study if name == "digits" else study.for_practice()


def stored_name(name: str) -> str:
    """The name that the study is stored under."""
    return practice_form(name).name


def practice_data(place, name: str) -> tuple[str, ...]:
    """Draw the study's practice set and give the words that name it."""
    if name == "digits":
        return ()
    assert place.search_here("data", "make", name, "--out", f"data/{name}") == 0
    return ("--data", f"data/{name}")


def status(place, capfd, name: str) -> Mapping:
    """What `search status` says of a study to programs."""
    capfd.readouterr()
    assert place.search_here("status", "--study", name, "--json") == 0
    return json.loads(capfd.readouterr().out)


def export(place, name: str) -> Mapping:
    """The best trial, as exported."""
    out = place.folder / f"{name}.yaml"
    assert place.search_here("export", "--study", name, "--out", out.name) == 0
    return yaml.safe_load(out.read_text())
