"""Versions that change numbers: compared before the first claim, refused, or accepted and told."""

from pathlib import Path

import pytest
import yaml

from dashboards.analysis.methods.description import describe
from search.cli import main
from search.errors import MachineMismatch
from search.processes import machine
from search.settings import Settings
from search.studies.create import notes_on, store_study
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from spaces.found import Found
from spaces.stored import from_json
from storage.store import Store, StudyRow

TOY = """
from spaces.params import Float
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    fixed={"seconds_per_epoch": 0.0}, space=[Float("learning_rate", 1e-5, 1.0, log=True)])
"""
REFUSED = (
    "search: the versions here are not those that study 'toy' was created with (search 0.2.0, not"
    " 0.1.0); install search==0.1.0 here, or accept these with --accept-versions\n"
)


@pytest.fixture
def file(tmp_path: Path, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a study that is stored already, on a machine that reaches its database."""
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    (tmp_path / "toy.py").write_text(TOY)
    stored(store, tmp_path / "toy.py")
    return tmp_path / "toy.py"


@pytest.fixture
def upgraded(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same on a machine whose pip has installed another search since."""
    package = file.parent / "packages" / "search-0.2.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.4\nName: search\nVersion: 0.2.0\n")
    monkeypatch.syspath_prepend(str(package.parent))
    return file


def stored(store: Store, file: Path, *, accepts: bool = False) -> StudyRow:
    """Start the study as `search run` does, or go on with it."""
    settings = Settings(home=file.parent / "home")
    overrides = Overrides(str(file), accepts_versions=accepts)
    return store_study(prepare(overrides, settings), overrides, settings, store)


def found_of(store: Store) -> Found:
    return from_json(store.study("toy").definition).found


@pytest.mark.usefixtures("file")
def test_a_study_keeps_the_versions_of_its_creation(store: Store) -> None:
    here = machine.versions()

    minor = ".".join(here["python"].split(".")[:2])
    assert found_of(store).versions == {"search": here["search"], "python": minor}


@pytest.mark.parametrize("command", ["worker", "run"])
def test_an_upgraded_machine_is_refused_before_it_claims(
    store: Store, upgraded: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = "toy" if command == "worker" else str(upgraded)

    assert main([command, "--study", study]) == 4

    assert capsys.readouterr().err == REFUSED
    assert store.workers("toy") == []


@pytest.mark.usefixtures("upgraded")
def test_an_accepted_version_is_stored_and_told_everywhere(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--study", "toy", "--accept-versions"]) == 0
    assert main(["worker", "--study", "toy"]) == 0  # once is enough

    (accepted,) = found_of(store).accepted_versions
    assert accepted["versions"] == {"search": "0.2.0"}
    assert accepted["instead_of"] == {"search": "0.1.0"}
    (warning,) = describe(store.study("toy"), None).warnings
    assert "Other versions were accepted" in warning
    assert warning.endswith("search 0.2.0, not 0.1.0.")
    capsys.readouterr()
    assert main(["status", "--study", "toy"]) == 0
    assert "search 0.2.0, not 0.1.0" in capsys.readouterr().out
    assert main(["export", "--study", "toy"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["accepted_versions"] == [accepted]


def test_a_run_that_accepts_goes_on_and_keeps_it(store: Store, upgraded: Path) -> None:
    with pytest.raises(MachineMismatch, match="accept these with --accept-versions"):
        stored(store, upgraded)

    stored(store, upgraded, accepts=True)

    assert found_of(store).accepted_versions[0]["versions"] == {"search": "0.2.0"}
    assert stored(store, upgraded) == store.study("toy")


@pytest.mark.usefixtures("upgraded")
def test_a_check_that_accepts_stores_nothing(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--study", "toy", "--check", "--accept-versions"]) == 0

    assert "versions: search 0.2.0, not 0.1.0, accepted" in capsys.readouterr().out
    assert found_of(store).accepted_versions == ()


def test_another_commit_of_a_checkout_is_a_note_and_one_with_changes_is_none(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, now = "b" * 40, "a" * 40
    store.amend("toy", lambda row: {**row, "found": {**row["found"], "commit": begun}})
    study = from_json(store.study("toy").definition).study
    for commit, notes in ((now, 1), (now + "+changes", 0), (begun, 0), (None, 0)):
        monkeypatch.setattr(machine, "commit", lambda commit=commit: commit)
        told = [note for note in notes_on(stored(store, file), study) if "is at commit" in note]
        assert len(told) == notes
