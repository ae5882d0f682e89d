"""A machine that is lost with all its processes, and another that goes on with its trial."""

import time
from contextlib import suppress

import pytest

from search.opened import open_store
from storage import server
from storage.errors import UnknownStudy

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


def test_another_machine_goes_on_where_the_lost_one_was(make_place, tmp_path_factory, capfd):
    here, there, home = make_place(), make_place(), tmp_path_factory.mktemp("server")
    environment = {
        "SEARCH_DATABASE_URL": server.start(home),
        "SEARCH_ARTIFACTS": str(tmp_path_factory.mktemp("shared")),
        "SEARCH_LEASE_SECONDS": "2",
    }
    try:
        words = ("--trials", "1", "--set", "epochs=8", "--set", "seconds_per_epoch=0.5")
        run = here.start_run("moving", *words, environment=environment)
        with open_store(here.settings_with(environment["SEARCH_DATABASE_URL"])) as store:
            wait_for_epochs(store, 3)
            run.kill()  # its worker dies with it, and nobody ends the lease

            assert there.search("worker", "--study", "moving", environment=environment) == 0

            first, second = store.attempts("moving")
            assert (first.reason, second.reason) == ("lost", "finished")
            assert [row.epoch for row in store.epochs("moving")] == list(range(1, 9))
            assert second.epochs == 8 - first.epochs
        assert "which another machine shared" in capfd.readouterr().err
    finally:
        server.remove(home)


def wait_for_epochs(store, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(UnknownStudy):
            if len(store.epochs("moving")) >= count:
                return
        time.sleep(0.05)
    pytest.fail("nothing was trained")
