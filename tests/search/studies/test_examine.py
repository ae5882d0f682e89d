"""An examination reports how far it is, and says of everything it found whether a run may start."""

from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataError
from search.settings import Settings
from search.studies.declare import declare
from search.studies.examine import Examination, examine
from search.studies.examined import Examined
from search.studies.overrides import Overrides
from search.studies.rules import find_rules

STUDY = """
from spaces.data import ClassFolders
from spaces.params import Toggle
from spaces.study import Study
study = Study(name="skin", objective="image_classifier", data=ClassFolders(), metric="val_loss",
    direction="minimize", space=[Toggle("ldam")], fixed={"backbone": "small_cnn",
    "weights": "none", "image_size": 32, "batch_size": 4})
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A machine with a study file and 2 x 20 small images."""
    (tmp_path / "skin.py").write_text(STUDY)
    for number in range(40):
        folder = tmp_path / "data" / ("mole", "wart")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise = bytes((number * pixel * 7919) % 251 for pixel in range(16 * 16 * 3))
        Image.frombytes("RGB", (16, 16), noise).save(folder / f"{number:02}.png")
    return tmp_path


def examined(machine: Path, **examination: object) -> Examined:
    overrides = Overrides(str(machine / "skin.py"), machine / "data")
    settings = Settings(home=machine / "home")
    declared = declare(overrides, settings)
    rules = find_rules(declared.stored)
    return examine(
        Examination(
            declared=declared, rules=rules, overrides=overrides, settings=settings, **examination
        ),
        None,
    )


def test_every_image_is_reported_and_their_number_is_known_at_once(here: Path) -> None:
    reports = []

    found = examined(here, progress=lambda *report: reports.append(report))

    assert reports[0] == ("images", 0, 40)
    assert reports[-1] == ("images", 40, 40)
    assert found.data.opened == 40


def test_an_examination_without_errors_is_accepted_with_its_data(here: Path) -> None:
    assert examined(here).accepted().summary.classes == ("mole", "wart")


def test_data_with_an_error_are_kept_and_refused(here: Path) -> None:
    (here / "data" / "bruise").mkdir()

    found = examined(here)

    assert found.data is not None
    with pytest.raises(
        DataError, match=r"^skin: .*\(C08\); see `search check --study .*skin\.py --data .*data`$"
    ):
        found.accepted()


def test_data_that_cannot_be_read_are_the_trouble_of_an_examination(here: Path) -> None:
    for path in (here / "data").rglob("*.png"):
        path.unlink()

    found = examined(here)

    assert found.data is None
    assert found.exit_code == 2
    with pytest.raises(DataError):
        found.accepted()


def test_a_run_says_what_is_left_out_before_it_begins(here: Path) -> None:
    (here / "data" / "mole" / "notes.txt").touch()

    assert "left out: 1 other file (.txt), for example mole/notes.txt" in examined(here).notes()


def test_data_that_cannot_be_divided_show_the_problems_of_their_listing(here: Path) -> None:
    (here / "data" / "Wart").mkdir()
    (here / "data" / "wart" / "01.png").rename(here / "data" / "Wart" / "01.png")

    found = examined(here)

    assert [each.rule for each in found.found] == ["C09"]
    assert "class 'Wart' has 1 image of only 1 group" in str(found.trouble)
    with pytest.raises(DataError, match=r"are equal to the eye .* \(C09\); see `search check"):
        found.accepted()
