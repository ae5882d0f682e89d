"""A machine that is lost with all its processes, and another that goes on with its trial."""

import time
from contextlib import suppress

import pytest

from objectives import catalog
from objectives.contract import Attempt, DataSource
from search.database import open_store
from search.seeds import training_seed
from spaces.stored import from_json
from storage.errors import UnknownStudy

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


@pytest.fixture(params=["folder", "bucket"])
def shared(request, tmp_path):
    """What tells a machine where the files are that it shares with another."""
    if request.param == "folder":
        return {"SEARCH_ARTIFACTS": str(tmp_path)}
    return {"SEARCH_ARTIFACTS": "s3://lab/moving", **request.getfixturevalue("s3_server")}


def test_another_machine_goes_on_where_the_lost_one_was(
    make_place, shared, database_url, tmp_path, capfd
):
    here, there = make_place(), make_place()
    database = {"SEARCH_DATABASE_URL": database_url, "SEARCH_LEASE_SECONDS": "2"}
    environment = database | shared
    words = ("--trials", "1", "--set", "epochs=8", "--set", "seconds_per_epoch=0.5")
    run = here.start_run("moving", *words, "--workers", "1", environment=environment)
    with open_store(here.settings_with(database_url)) as store:
        wait_for_epochs(store, 3)
        run.kill()  # its worker dies with it, and nobody ends the lease

        assert there.search("worker", "--study", "moving", environment=environment) == 0

        first, second = store.attempts("moving")
        assert (first.reason, second.reason) == ("lost", "finished")
        assert [row.epoch for row in store.epochs("moving")] == list(range(1, 9))
        assert second.epochs == 8 - first.epochs
        assert curve(store) == undisturbed(store, tmp_path)
        assert store.files("moving") == []  # a trial that has ended shares nothing more
    assert "which another machine shared" in capfd.readouterr().err


def curve(store):
    return [row.metrics for row in store.epochs("moving")]


def undisturbed(store, folder):
    """What the trial's configuration and seed give when they are trained in one go."""
    (trial,), stored = store.trials("moving"), from_json(store.study("moving").definition)
    study = stored.study
    attempt = Attempt(
        folder=folder,
        data=DataSource(layout={"kind": "none"}),
        seed=training_seed(study.seed, trial.number),
    )
    results = catalog.load(study.objective)(stored.config(trial.params), attempt)
    return [result.metrics for result in results]


def wait_for_epochs(store, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(UnknownStudy):
            if len(store.epochs("moving")) >= count:
                return
        time.sleep(0.05)
    pytest.fail("nothing was trained")
