"""Two machines whose clocks are eight hours apart, on one Postgres and one shared folder."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from search.database import open_store
from storage import artifacts
from storage.store import Store
from tests.acceptance.conftest import Place
from tests.acceptance.machines_in_turn import (
    Machines,
    assert_best_weights_alone_are_there,
    assert_nothing_is_lost,
    wait,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

SHIM = Path(__file__).with_name("wrong_clock.c")
AHEAD_SECONDS = (5 * 3600, -3 * 3600)
TRIALS = 3
SLACK = timedelta(minutes=10)  # of a test on a busy machine; the clocks are hours off


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that moves the clock of the processes which load it."""
    if sys.platform != "linux" or not shutil.which("gcc"):
        pytest.skip("needs Linux and gcc, to give a process a clock of its own")
    library = tmp_path_factory.mktemp("shim") / "wrong_clock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, SHIM], check=True)
    return library


@pytest.fixture
def clocks(shim: Path, database_url: str, tmp_path: Path) -> list[dict[str, str]]:
    """The variables of both machines."""
    places = {
        "SEARCH_DATABASE_URL": database_url,
        "SEARCH_LEASE_SECONDS": "2",
        "SEARCH_ARTIFACTS": str(tmp_path / "share"),
        "LD_PRELOAD": str(shim),
    }
    return [places | {"CLOCK_AHEAD_SECONDS": str(ahead)} for ahead in AHEAD_SECONDS]


def test_machines_whose_clocks_are_hours_apart_lose_no_trial_and_date_nothing_wrongly(
    make_place: Callable[[], Place],
    clocks: list[dict[str, str]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    places, began_at = [make_place(), make_place()], datetime.now(UTC)
    machines = Machines("hours", places, clocks, hosts=("box-a", "box-b"))
    machines.store_study(TRIALS)
    share, url = clocks[0]["SEARCH_ARTIFACTS"], clocks[0]["SEARCH_DATABASE_URL"]
    with open_store(places[0].settings_with(url)) as store:
        page = open_page(places[0], clocks[0])
        machines.start(0)
        machines.start(1)
        kept = artifacts.artifact_store(share)
        look_at(page)  # until it is there
        number, _ = machines.lose(store, kept, at=1)
        shown = [look_at(page), look_at(f"{page}/t/{number}")]  # a trial that runs again
        machines.end()

        assert_nothing_is_lost(store, "hours", TRIALS)
        assert_best_weights_alone_are_there(store, "hours", kept)
        (lost,) = [row for row in store.attempts("hours") if row.reason == "lost"]
        (after,) = [row for row in store.attempts("hours", lost.number) if row.attempt == 2]
        assert began_at < lost.started_at < after.started_at < began_at + SLACK
        for text in shown:
            moments = map(datetime.fromisoformat, re.findall(r'datetime="([^"]+)"', text))
            assert all(began_at - SLACK < moment < began_at + SLACK for moment in moments)
        assert not re.search(r"\d\sh \d\d", shown[1])  # its second attempt lasts seconds
        every = moments_in(store)
        assert len(every) > TRIALS
        assert began_at < min(every) <= max(every) < began_at + SLACK
    capfd.readouterr()
    assert places[0].search("machines", "--study", "hours", "--json", environment=clocks[0]) == 0
    told = json.loads(capfd.readouterr().out)
    ahead = {each["host"]: each["clock_ahead_seconds"] for each in told}
    assert ahead == pytest.approx({"box-a": AHEAD_SECONDS[0], "box-b": AHEAD_SECONDS[1]}, abs=60)
    assert all(0 <= each["silent_seconds"] < SLACK.seconds for each in told)


def open_page(place: Place, environment: Mapping[str, str]) -> str:
    """Start a dashboard there, and return the address of the study's page."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    place.start("dashboard", "--port", str(port), environment=environment)
    return f"http://127.0.0.1:{port}/s/hours"


def look_at(page: str) -> str:
    """Read a page as soon as it is there."""

    def read() -> str:
        try:
            answer = httpx.get(page, timeout=30)
        except httpx.TransportError:
            return ""
        return answer.text if answer.is_success else ""

    return wait(read)


def moments_in(store: Store) -> list[datetime]:
    """Read every moment that the database has of the study's trials and workers."""
    attempts, workers = store.attempts("hours"), store.workers("hours")
    found = [at for row in attempts for at in (row.started_at, row.ended_at)]
    found += [at for row in workers for at in (row.started_at, row.seen_at, row.ended_at)]
    return [at for at in found if at]
