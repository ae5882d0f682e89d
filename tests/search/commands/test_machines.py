"""`search machines`, the line of `search status` and the panel of the page: several as one."""

import json
from pathlib import Path

import pytest

from dashboards.analysis.overview import OverviewReader
from dashboards.live import render
from dashboards.live.view import View
from search.cli import main
from storage.store import Store
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import new_worker


@pytest.fixture
def store(
    store: Store, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """A store with the study `toy`, in which one machine has ended a trial."""
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    attempt(make_worker(store, tmp_path))
    return store


def join(store: Store) -> None:
    """Let another machine join, on which search has another version and the clock is wrong."""
    versions = {"python": "3.11.7", "search": "0.0.9"}
    machine = {"versions": versions, "engine": {"name": "slurm", "job": "12_3"}, "data": "none"}
    store.register_worker("toy", new_worker("other", host="box-2", machine=machine))


def panel(store: Store, home: Path) -> str:
    overview = OverviewReader(store, "toy", str(home / "artifacts")).read()
    return render.panels(overview, View())["machines"]


def test_the_table_tells_how_each_machine_differs_and_what_it_has_done(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    join(store)

    assert main(["machines", "--study", "toy"]) == 0

    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["machine", "workers", "trials", "epochs", "hours", "share"]
    assert first.split()[:5] == ["host", "1", "of", "1", "1"]
    assert "as the study" in first
    assert "100" in first
    assert "search 0.0.9, not 0.1.0" in second
    assert "slurm 12_3" in second


def test_a_program_reads_the_machines(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    join(store)

    assert main(["machines", "--study", "toy", "--json"]) == 0

    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], first["trials"], first["share"]) == ("host", 1, 1.0)
    assert second["differs"] == {"search": "0.0.9"}
    assert second["engine"] == {"name": "slurm", "job": "12_3"}


def test_status_and_page_tell_the_machines_from_the_second_on(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--study", "toy"]) == 0
    assert "machines" not in capsys.readouterr().out
    assert panel(store, tmp_path) == ""

    join(store)

    assert main(["status", "--study", "toy"]) == 0
    assert "2 machines, by their share of the epochs: host 100" in capsys.readouterr().out
    shown = panel(store, tmp_path)
    assert "search 0.0.9, not 0.1.0" in shown
    assert "slurm 12_3" in shown


def test_a_study_without_a_worker_tells_how_to_start_one(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    make_worker(store, Path("nowhere"), name="new")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM search_service.workers WHERE study_id = 2")

    assert main(["machines", "--study", "new"]) == 0

    assert "start one with `search worker --study new`" in capsys.readouterr().out
