"""An author's own training code that was changed, or is taken to another machine."""

from collections.abc import Callable

import pytest
import yaml

from search.database import open_store
from tests.acceptance.conftest import Place

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

STUDY = """
from spaces.params import Float
from spaces.study import Pruning, Study

study = Study(
    name="own", objective="train.py:train", metric="dice", direction="maximize", trials=4,
    fixed={"epochs": 6, "seconds": 0.25}, pruning=Pruning("none"),
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""
TRAIN = """
import json, random, time
from dataclasses import dataclass

from objectives.contract import EpochResult
from objectives.recipe.fields import number, whole


@dataclass(frozen=True, kw_only=True)
class Recipe:
    learning_rate: float = number(0.01, 1e-6, 1.0, "The step.")
    epochs: int = whole(5, 1, 100, "The length.", unit="epochs")
    seconds: float = 0.0


def train(recipe, attempt):
    state = attempt.resume_from and json.loads((attempt.resume_from / "state.json").read_text())
    for epoch in range((state or {"epoch": 0})["epoch"] + 1, recipe.epochs + 1):
        time.sleep(recipe.seconds)
        attempt.progress()
        partial = attempt.folder / "partial"
        partial.write_text(json.dumps({"epoch": epoch}))
        partial.replace(attempt.folder / "state.json")
        yield EpochResult(epoch=epoch, metrics={"dice": random.random()})
""".replace("def train(recipe, attempt)", "def train(recipe: Recipe, attempt)")


@pytest.fixture(scope="module")
def place(light_place: Place) -> Place:
    """A place with a study of one's own code."""
    (light_place.folder / "own.py").write_text(STUDY)
    (light_place.folder / "train.py").write_text(TRAIN)
    return light_place


def test_changed_code_is_another_study_unless_it_is_accepted(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("--trials", "1", "--set", "seconds=0")
    assert run(place, "changed", *words) == 0
    (place.folder / "train.py").write_text(TRAIN.replace("random.random()", "2.0"))
    more = ("--trials", "2", "--set", "seconds=0")
    assert run(place, "changed", *more) == 2
    assert "has changed since it began (train.py); undo the change" in capfd.readouterr().err
    assert place.search_here("worker", "--study", "changed") == 4
    assert "--accept-code" in capfd.readouterr().err

    assert run(place, "changed", *more, "--accept-code") == 0

    with open_store(place.settings) as store:
        first, second = store.trials("changed")
        assert first.value is not None
        assert first.value < 1
        assert second.value == 2.0
        codes = {row.machine["code"] for row in store.attempts("changed")}
        assert len(codes) == 2
    for number, code in ((0, "random.random()"), (1, "2.0")):
        out = place.folder / f"{number}.yaml"
        which = ("--study", "changed", "--trial", f"{number}", "--out", str(out))
        assert place.search_here("export", *which) == 0
        sources = yaml.safe_load(out.read_text())["own"]["sources"]
        assert f'{{"dice": {code}}}' in sources["train.py"]
    assert place.search("retrain", str(place.folder / "1.yaml"), "--verify") == 0


def test_a_machine_without_the_code_gets_it_from_the_study(
    place: Place, make_place: Callable[[], Place]
) -> None:
    (place.folder / "train.py").write_text(TRAIN)
    words = ("--trials", "1", "--set", "seconds=0")
    assert run(place, "moved", *words) == 0
    there = make_place()
    with open_store(place.settings) as store:
        environment = {"SEARCH_DATABASE_URL": place.database_url}
        store.update_definition("moved", store.study("moved").definition, 2)
        assert there.search("worker", "--study", "moved", environment=environment) == 0
        assert [trial.outcome for trial in store.trials("moved")] == ["finished"] * 2
    (code,) = (there.settings.study_folder("moved") / "code").iterdir()
    assert (code / "train.py").read_text() == TRAIN


def run(place: Place, name: str, *words: str) -> int:
    """Run own.py to its end under a name, with one worker."""
    rest = ("--as", name, "--workers", "1", "--no-dashboard", *words)
    return place.search_here("run", "--study", "own.py", *rest)
