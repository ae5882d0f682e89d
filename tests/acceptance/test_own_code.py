"""An author's own training code under the promises: killed, changed, and taken elsewhere."""

import random
import signal
import time
from collections.abc import Callable

import psutil
import pytest
import yaml

from search.database import open_store
from storage.postgres import server
from storage.store import Store
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
def place(make_place: Callable[[], Place]) -> Place:
    """A place with a study of one's own code."""
    place = make_place()
    (place.folder / "own.py").write_text(STUDY)
    (place.folder / "train.py").write_text(TRAIN)
    return place


def test_a_killed_worker_and_an_interrupted_run_lose_nothing(place: Place) -> None:
    run = start(place, "killed")
    with open_store(place.settings) as store:
        wait_for_epochs(store, "killed", 3)
        victim = random.choice(workers_of(run.pid))
        victim.kill()
        wait_for_epochs(store, "killed", 9)
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 75
        assert start(place, "killed").wait(120) == 0

        trials = store.trials("killed")
        assert [trial.outcome for trial in trials] == ["finished"] * 4
        for trial in trials:
            epochs = store.epochs("killed", trial.number)
            assert [row.epoch for row in epochs] == [1, 2, 3, 4, 5, 6]
            assert trial.value == max(row.value for row in epochs)
        assert {each.reason for each in store.attempts("killed")} >= {"killed", "finished"}
    assert not workers_of(run.pid)


def test_changed_code_is_another_study_unless_it_is_accepted(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("--trials", "1", "--set", "seconds=0")
    assert start(place, "changed", *words).wait(120) == 0
    (place.folder / "train.py").write_text(TRAIN.replace("random.random()", "2.0"))
    more = ("--trials", "2", "--set", "seconds=0")
    assert start(place, "changed", *more).wait(60) == 2
    assert "has changed since it began (train.py); undo the change" in capfd.readouterr().err
    assert place.search("worker", "--study", "changed") == 4
    assert "--accept-code" in capfd.readouterr().err

    assert start(place, "changed", *more, "--accept-code").wait(120) == 0

    with open_store(place.settings) as store:
        first, second = store.trials("changed")
        assert first.value is not None
        assert first.value < 1
        assert second.value == 2.0
        codes = {row.machine["code"] for row in store.attempts("changed")}
        assert len(codes) == 2
    for number, code in ((0, "random.random()"), (1, "2.0")):
        out = place.folder / f"{number}.yaml"
        assert (
            place.search("export", "--study", "changed", "--trial", f"{number}", "--out", str(out))
            == 0
        )
        assert (
            f'{{"dice": {code}}}' in yaml.safe_load(out.read_text())["own"]["sources"]["train.py"]
        )
    assert place.search("retrain", str(place.folder / "1.yaml"), "--verify") == 0


def test_a_machine_without_the_code_gets_it_from_the_study(
    place: Place, make_place: Callable[[], Place]
) -> None:
    (place.folder / "train.py").write_text(TRAIN)
    words = ("--trials", "1", "--set", "seconds=0")
    assert start(place, "moved", *words).wait(120) == 0
    there = make_place()
    with open_store(place.settings) as store:
        environment = {"SEARCH_DATABASE_URL": server.start(place.settings.home)}
        store.update_definition("moved", store.study("moved").definition, 2)
        assert there.search("worker", "--study", "moved", environment=environment) == 0
        assert [trial.outcome for trial in store.trials("moved")] == ["finished"] * 2
    (code,) = (there.settings.study_folder("moved") / "code").iterdir()
    assert (code / "train.py").read_text() == TRAIN


def start(place: Place, name: str, *words: str):  # type: ignore[no-untyped-def]
    """Start `search run` of own.py under a name with two workers."""
    rest = ("--as", name, "--workers", "2", "--no-dashboard", *words)
    return place.start("run", "--study", "own.py", *rest)


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the workers that a run has started."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [each for each in children if "worker" in each.cmdline()]
    except psutil.NoSuchProcess:
        return []


def wait_for_epochs(store: Store, name: str, count: int) -> None:
    """Wait until so many epochs of a study are recorded."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(row.name == name for row in store.studies()) and len(store.epochs(name)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} has not {count} epochs")
