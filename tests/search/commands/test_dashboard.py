"""`search dashboard` where the home has a dashboard already."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from search.cli import main
from search.processes.dashboard_lock import Living, open_again, take
from search.settings import Settings


@pytest.fixture
def living(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Living]:
    """The dashboard that this process serves in the home of the command."""
    monkeypatch.delenv("SEARCH_DATABASE_URL", raising=False)
    monkeypatch.delenv("SEARCH_ARTIFACTS", raising=False)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    held = take(Settings(home=tmp_path), open_again)
    assert held
    with closing(held):
        yield held.living


def test_the_address_of_the_living_one_is_printed(
    living: Living, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard"]) == 0
    assert main(["dashboard", "--port", str(living.port)]) == 0
    said = [f"dashboard {living.url}", f"process {os.getpid()} serves this home already"]
    assert capsys.readouterr().out.splitlines() == [*said, *said]


def test_another_port_is_refused_with_the_living_one(
    living: Living, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "--port", "65000"]) == 2
    assert capsys.readouterr().err == (
        f"search: process {os.getpid()} serves the dashboard of this home at {living.url} already;"
        " open that, or end the process to have it on port 65000\n"
    )
