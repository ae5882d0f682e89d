"""`search doctor` on this machine, and on machines with faults."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from search.cli import main
from search.processes.doctor import NAMED, MachineFinding, examine
from search.settings import Settings
from storage.postgres import place, server
from storage.postgres.cluster import Cluster, cluster_of
from tests.conftest import execute


def level(findings: str, name: str) -> str:
    """Pick a finding's level out of the JSON rows."""
    return next(row["level"] for row in json.loads(findings) if row["name"] == name)


def finding(findings: Iterator[MachineFinding], name: str) -> MachineFinding:
    """Return the next finding of this name, without examining what comes after it."""
    return next(each for each in findings if each.name == name)


@pytest.mark.slow
def test_a_sound_machine_passes_and_nothing_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"

    done = subprocess.run(
        [sys.executable, "-P", "-m", "search.cli", "doctor", "--json"],
        env={**os.environ, "SEARCH_HOME": str(home), "SEARCH_DATABASE_URL": ""},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert level(done.stdout, "torch") == level(done.stdout, "database") == "ok"
    assert not home.exists()


@pytest.mark.slow
def test_every_line_that_is_not_green_says_what_to_do_and_none_has_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "file" / "home"))
    url = "postgresql://me:secret@127.0.0.1:1/search"  # which does not answer
    monkeypatch.setenv("SEARCH_DATABASE_URL", url)

    assert main(["doctor", "--json"]) == 1

    told = capsys.readouterr().out
    findings = json.loads(told)
    assert all(set(each) == {"name", "level", "found", "fix"} for each in findings)
    assert {each["name"] for each in findings if each["level"] == "error"} == {"disk", "database"}
    assert all(each["fix"] for each in findings if each["level"] != "ok")
    assert "secret" not in told


def test_a_database_of_another_kind_is_an_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="sqlite:///study.db")
    assert finding(examine(settings), "database").level == "error"


def test_the_database_that_answers_and_the_host_of_the_messages_are_named(
    tmp_path: Path, database_url: str
) -> None:
    hook = "https://hooks.example.org/secret-path"
    settings = Settings(home=tmp_path, database_url=database_url, webhook=hook)
    findings = examine(settings)

    levels = {name: finding(findings, name).level for name in ("database", "connections")}
    assert levels == {"database": "ok", "connections": "ok"}
    told = finding(findings, "messages").found
    assert told == "sent to hooks.example.org, not signed (SEARCH_WEBHOOK)"


def test_more_workers_than_the_database_has_connections_for_are_told(
    tmp_path: Path, database_url: str, database_server: str
) -> None:
    settings = Settings(home=tmp_path, database_url=database_url)
    name = make_url(database_url).database
    execute(database_server, f"ALTER DATABASE {name} CONNECTION LIMIT 25")

    short = finding(examine(settings, workers=100), "connections")

    assert short.level == "warn"
    assert "100 workers with a dashboard take 205, the server allows 25" in short.found
    limit = f"raise the CONNECTION LIMIT of database {name} by 180"
    assert short.fix.startswith(f"{limit}, or put PgBouncer")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's databases lie outside their homes")
def test_the_databases_of_removed_homes_are_named_with_the_commands_that_remove_them(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    server.start(home)
    folder = cluster_of(home).folder
    pid = server.status(home).pid
    shutil.rmtree(home)

    found = finding(examine(Settings(home=home)), "leftovers")

    assert f"{pid}" in found.fix
    assert str(folder) in found.fix
    Cluster(folder).stop()
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's databases lie outside their homes")
def test_of_many_databases_of_removed_homes_a_few_are_named_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "FOLDER_FOR_ROOT", tmp_path)
    folders = [tmp_path / f"{place.PREFIX}{number}" for number in range(NAMED + 3)]
    for folder in folders:
        folder.mkdir()

    home = tmp_path / "home"
    found = finding(examine(Settings(home=home)), "leftovers")

    assert found.found.startswith(f"{NAMED + 3} databases")
    removed = f"rm -r {' '.join(map(str, folders[:NAMED]))};"
    assert found.fix.endswith(f"{removed} then `search doctor` names the other 3")
