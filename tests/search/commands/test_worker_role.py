"""Commands with the rights that docs/operations.md gives a worker's role, and no others."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from search.cli import main
from search.settings import Settings
from search.studies.create import store_study
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from storage.store import Store
from tests.conftest import execute
from tests.search.studies.test_joining import TOY
from tests.storage.listings import statements


@pytest.fixture
def machine(
    tmp_path: Path, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A machine whose commands come in as the role, beside a study of the owner's."""
    (tmp_path / "toy.py").write_text(TOY)
    overrides, settings = Overrides(str(tmp_path / "toy.py")), Settings(home=tmp_path / "owner")
    store_study(prepare(overrides, settings), overrides, settings, store)
    execute(database_url, *statements("operations.md", "trainer"))
    url = make_url(database_url).set(username="trainer").render_as_string()
    monkeypatch.setenv("SEARCH_DATABASE_URL", url)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_ARTIFACTS", str(tmp_path / "shared"))
    yield tmp_path
    execute(database_url, "DROP OWNED BY trainer", "DROP ROLE trainer")


@pytest.mark.usefixtures("machine")
def test_a_worker_runs_whole_trials_and_its_machine_can_be_looked_at(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--study", "toy", "--check"]) == 0
    assert main(["worker", "--study", "toy"]) == 0
    assert main(["status", "--study", "toy"]) == 0
    assert main(["machines", "--study", "toy"]) == 0

    assert "lacks a right" not in capsys.readouterr().err
    assert [trial.outcome for trial in store.trials("toy")] == ["finished"] * 2
    (worker,) = store.workers("toy")
    assert worker.exit_code == 0


def test_a_fleet_comes_up_and_goes_down_with_the_file_of_its_workers(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets, kubectl = machine / "secrets", machine / "bin" / "kubectl"
    secrets.touch(mode=0o600)
    secrets.write_text(f"SEARCH_DATABASE_URL={os.environ['SEARCH_DATABASE_URL']}\n")
    kubectl.parent.mkdir()
    kubectl.write_text("#!/bin/sh\necho '{\"items\": []}'\n")
    kubectl.chmod(0o700)
    monkeypatch.setenv("PATH", str(kubectl.parent), prepend=os.pathsep)
    monkeypatch.delenv("SEARCH_DATABASE_URL")
    monkeypatch.setenv("SEARCH_SECRETS_FILE", str(secrets))

    up = ["fleet", "up", "--study", "toy", "--engine", "k8s", "--workers", "1"]
    assert main(up) == 0, capsys.readouterr().err
    assert main(["fleet", "status", "--study", "toy"]) == 0
    assert main(["fleet", "down", "--study", "toy", "--now"]) == 0


def test_a_command_for_the_owner_says_so(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["delete", "toy", "--yes"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("search: role trainer lacks a right in the database (permission denied")
    assert "run the command as the owner of the tables" in line
