"""`search init`: the study files that it writes run at once."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from objectives import catalog
from objectives.contract import Attempt, DataSource
from objectives.own.left import newest_left
from search.cli import main
from search.settings import Settings
from search.studies.declare import find_study
from search.studies.rules import find_rules
from spaces.script import Script

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("-l", "--lr", type=float, default=0.01)
parser.add_argument("--num-epochs", type=int, default=3)
parser.add_argument("--optimizer", default="adam")
parser.add_argument("--out")
parser.add_argument("--quiet", action="store_true")
given = parser.parse_args()
for epoch in range(given.num_epochs):
    print(f"epoch {epoch + 1} of {given.num_epochs}: val_loss {given.lr / (epoch + 1):.6f}")
"""
Init = Callable[..., Path]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Call `search init` in a folder of the test's own; returns the study file."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Path:
        assert main(["init", "mine.py", *words]) == 0
        return tmp_path / "mine.py"

    return call


def test_training_code_of_ones_own_is_written_beside_its_study(init: Init, tmp_path: Path) -> None:
    stored = find_study(str(init("--own")), Settings(home=tmp_path / "home"))
    assert [each for each in find_rules(stored) if each.level == "error"] == []
    train = catalog.load(stored.objective, tmp_path)

    def epochs(folder: str, resume_from: Path | None = None, epochs: int = 2) -> list[float]:
        config = {**stored.settled, "learning_rate": 0.05, "width": 16, "epochs": epochs}
        (tmp_path / folder).mkdir()
        source = DataSource(layout={"kind": "none"})
        attempt = Attempt(folder=tmp_path / folder, data=source, resume_from=resume_from)
        return [result.metrics["val_loss"] for result in train(config, attempt)]

    first, second = epochs("begun")
    assert second < first < 2.4
    assert epochs("resumed", tmp_path / "begun", epochs=3)[:2] == [first, second]
    assert newest_left([tmp_path / "begun"])
    (tmp_path / "begun" / "state.pt").rename(tmp_path / "begun" / "state.partial")
    assert newest_left([tmp_path / "begun"]) is None  # killed in its first save


def test_a_study_is_written_around_a_script_with_the_options_that_it_declares(
    init: Init, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    study = runpy.run_path(str(init("--script", "train.py")))["study"]
    assert str(study.objective) == (
        "python train.py --lr {lr} --num-epochs {epochs} --optimizer {optimizer}"
    )
    assert study.fixed == {"epochs": 3, "optimizer": "adam"}
    assert (study.space.get("lr").low, study.space.get("lr").high) == (0.001, 0.1)

    stored = find_study(str(tmp_path / "mine.py"), Settings(home=tmp_path / "home"))
    (tmp_path / "attempt").mkdir()
    attempt = Attempt(folder=tmp_path / "attempt", data=DataSource(layout={"kind": "none"}))
    trained = catalog.load(stored.objective, tmp_path)(stored.config({"lr": 0.03}), attempt)
    assert [result.metrics for result in trained] == [
        {"val_loss": 0.03},
        {"val_loss": 0.015},
        {"val_loss": 0.01},
    ]


def test_a_script_that_reports_and_one_in_another_language_are_asked_for_reports(
    init: Init, tmp_path: Path
) -> None:
    (tmp_path / "train.sh").write_text("echo '{\"epoch\": 1}' >> $SEARCH_REPORT\n")
    study = runpy.run_path(str(init("--script", "train.sh")))["study"]
    assert isinstance(study.objective, Script)
    assert study.objective.command == ("bash", "train.sh", "{config}")
    assert study.objective.reported("val_loss") is None


def test_a_scripts_name_with_blanks_and_braces_is_one_word(init: Init, tmp_path: Path) -> None:
    (tmp_path / "my {best} train.py").write_text(SCRIPT)
    stored = find_study(
        str(init("--script", "my {best} train.py")), Settings(home=tmp_path / "home")
    )
    assert [*stored.found.own["files"]] == ["my {best} train.py"]


@pytest.mark.parametrize(
    ("words", "there", "found"),
    [
        (["--own"], "mine_train.py", "mine_train.py exists already; choose another name"),
        (["--script", "nothing.py"], "", "nothing.py is not there; name the script that trains"),
    ],
)
def test_nothing_is_written_where_something_is_in_the_way(
    words: list[str],
    there: str,
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if there:
        (tmp_path / there).touch()
    assert main(["init", "mine.py", *words]) == 2
    assert found in capsys.readouterr().err
    assert not (tmp_path / "mine.py").exists()
