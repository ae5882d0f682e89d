"""The test split: closed to every trial, opened through one function that leaves a row behind."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from objectives import image_classifier
from objectives.contract import Attempt, DataSource, EpochResult
from objectives.image_classifier import train
from objectives.sets.opened import OpenSplits, SealedSplit, open_images
from search.followups.test_split import open_test
from search.processes.signals import StopFlag
from search.settings import Settings
from search.studies.create import store_study
from search.studies.joining import Joining, Request
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from search.terminal.status import print_status
from search.worker.worker import Worker
from storage.errors import UnknownStudy
from storage.store import Store
from tests.search.toy_worker import attempt as attempt_one
from tests.storage.samples import new_worker

ROOT = Path(__file__).parents[3]
STUDY = """
from spaces.data import Digits
from spaces.params import Toggle
from spaces.study import Study
study = Study(name="peeking", objective="image_classifier", data=Digits(), metric="val_loss",
    direction="minimize", trials=1, space=[Toggle("ldam")], fixed={"backbone": "small_cnn",
    "weights": "none", "image_size": 32, "epochs": 1, "warmup_epochs": 0})
"""


@pytest.fixture
def study(store: Store, tmp_path: Path) -> str:
    """A stored study on the digits."""
    (tmp_path / "peeking.py").write_text(STUDY)
    overrides, settings = Overrides(str(tmp_path / "peeking.py")), Settings(home=tmp_path / "home")
    return store_study(prepare(overrides, settings), overrides, settings, store).name


def peek(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Train as the image classifier does, with one look too many."""
    images(attempt)["test"]
    yield from train(config, attempt)


@pytest.mark.slow
def test_a_trial_whose_objective_opens_the_test_split_fails_and_says_so(
    store: Store, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home")
    joining = Joining(request=Request(study=study), settings=settings, store=store)
    worker = Worker(
        name="w",
        stored=joining.stored,
        store=store,
        settings=settings,
        data=joining.source,
        device="cpu",
        threads=1,
        flag=StopFlag(),
    )
    store.register_worker(study, new_worker("w"))
    monkeypatch.setattr(image_classifier, "train", peek)

    attempt_one(worker)

    (trial,) = store.trials(study)
    assert (trial.state, trial.outcome) == ("FAIL", "code_error")
    assert trial.detail is not None
    assert "the test split is sealed during a search (C14)" in trial.detail
    assert "let the objective judge by train and val alone" in trial.detail
    assert store.epochs(study) == []
    assert store.test_uses(study) == []


def test_whoever_opens_the_test_split_has_left_a_row_before(
    store: Store, study: str, tmp_path: Path
) -> None:
    sealed = Attempt(folder=tmp_path, data=DataSource(layout={"kind": "digits"}))
    with pytest.raises(SealedSplit):
        images(sealed)["test"]

    opened = open_test(store, study, sealed, "box-7", "confirm")

    assert [(use.used_by, use.purpose) for use in store.test_uses(study)] == [("box-7", "confirm")]
    assert len(images(opened)["test"]) > 0


def test_status_says_how_often_the_test_split_was_opened(
    store: Store, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_status(store, study, as_json=False, console=Console(width=200))
    assert "test split opened so far: 0" in capsys.readouterr().out
    store.note_test_use(study, "box-7", "confirm")

    print_status(store, study, as_json=True, console=Console(width=200))

    (use,) = json.loads(capsys.readouterr().out)["test_uses"]
    assert (use["used_by"], use["purpose"]) == ("box-7", "confirm")


def test_a_test_split_whose_use_cannot_be_written_down_stays_closed(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(UnknownStudy):
        open_test(
            store,
            "nobody",
            Attempt(folder=tmp_path, data=DataSource(layout={"kind": "digits"})),
            "w",
            "look",
        )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "search").rglob("*.py")), ids=lambda path: path.stem
)
def test_only_one_module_of_the_search_names_the_test_split(path: Path) -> None:
    words = (node.value for node in ast.walk(ast.parse(path.read_text())) if is_text(node))

    # The helper of scripts names it to refuse it.
    naming = ("followups/test_split.py", "script.py")
    assert ("test" in words) == (path.relative_to(ROOT / "search").as_posix() in naming)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def images(attempt: Attempt) -> OpenSplits:
    """What an objective gets to see of its attempt's data."""
    return open_images(attempt, 8)
