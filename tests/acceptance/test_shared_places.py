"""Machines that are lost in turn on a share that comes and goes, and in one home."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from search.database import open_store
from storage import artifacts
from storage.store import Store
from tests.acceptance.conftest import Place
from tests.acceptance.machines_in_turn import (
    EPOCHS,
    Machines,
    assert_best_weights_alone_are_there,
    assert_nothing_is_lost,
    wait,
)

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

AWAY_SECONDS = 3  # longer than a lease
HOSTS = ("box-a", "box-b")
OTHER_HOST = ("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c")


@pytest.fixture
def database(database_url: str) -> dict[str, str]:
    """The variables by which machines reach their Postgres."""
    return {"SEARCH_DATABASE_URL": database_url, "SEARCH_LEASE_SECONDS": "2"}


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.full)])
def test_a_share_that_comes_and_goes_costs_nothing_and_its_mount_point_gets_no_file(
    make_place: Callable[[], Place], database: dict[str, str], tmp_path: Path, rounds: int
) -> None:
    share, elsewhere, trials = tmp_path / "mnt" / "share", tmp_path / "elsewhere", 6 * rounds - 2
    environment = database | {"SEARCH_ARTIFACTS": str(share)}
    places = [make_place(), make_place()]
    machines = Machines("moves", places, [environment] * 2)
    machines.store_study(trials)
    with open_store(places[0].settings_with(database["SEARCH_DATABASE_URL"])) as store:
        machines.start(0)
        machines.start(1)
        kept = artifacts.artifact_store(str(share))
        for _ in range(rounds):
            machines.wait_for_work(store)
            share.rename(elsewhere)
            share.mkdir()  # the mount point
            time.sleep(AWAY_SECONDS)
            share.rmdir()  # which is empty
            elsewhere.rename(share)
            machines.lose(store, kept)
        machines.end()

        assert_nothing_is_lost(store, "moves", trials)
        assert len(store.attempts("moves")) == trials + rounds  # only those that were killed
        assert_best_weights_alone_are_there(store, "moves", kept)


def test_two_hosts_in_one_home_take_over_from_each_other(
    make_place: Callable[[], Place], database: dict[str, str]
) -> None:
    if not can_be_another_host():
        pytest.skip("needs root and util-linux, for host names and process numbers of its own")
    place, trials = make_place(), 3
    before = [(*OTHER_HOST, f'hostname {host} && exec "$@"', "sh") for host in HOSTS]
    machines = Machines("both", [place], [database])
    machines.store_study(trials)
    run = ("run", "--study", "moves.py", "--as", "both", "--workers", "1", "--no-dashboard")
    with open_store(place.settings_with(database["SEARCH_DATABASE_URL"])) as store:

        def start(at: int) -> subprocess.Popen[bytes]:
            return place.start(*run, environment=database, before=before[at])

        runs = [start(0), start(1)]
        victim = wait(lambda: amid_a_trial(store, HOSTS[0]))
        other = wait(lambda: amid_a_trial(store, HOSTS[1]))
        runs[0].kill()
        runs[0].wait()
        runs[0] = start(0)  # its predecessor's and the other host's process numbers are no news
        assert [each.wait(120) for each in runs] == [0, 0]

        assert_nothing_is_lost(store, "both", trials)
        ends = {(row.worker, row.number): row.reason for row in store.attempts("both")}
        assert (ends[victim], ends[other]) == ("lost", "finished")
        (went_on,) = (row for row in store.attempts("both", victim[1]) if row.attempt == 2)
        assert 0 < went_on.epochs < EPOCHS
    logs = {path.name for path in (place.settings.logs / "both").iterdir()}
    second = HOSTS["box-b-run.log" in logs]  # the host that was there first has the plain names
    assert {"run.log", "worker-1.log", f"{second}-run.log", f"{second}-worker-1.log"} <= logs


def amid_a_trial(store: Store, host: str) -> tuple[str, int] | None:
    """Find a host's worker and the trial of which it has recorded some epochs."""
    for row in store.attempts("both"):
        if row.host == host and not row.ended_at and 2 <= row.epochs <= EPOCHS - 3:
            return row.worker, row.number
    return None


def can_be_another_host() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    asked = subprocess.run([*OTHER_HOST, "hostname box-x"], capture_output=True, check=False)
    return asked.returncode == 0
