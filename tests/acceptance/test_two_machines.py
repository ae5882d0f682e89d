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


def test_another_machine_goes_on_where_the_lost_one_was(
    make_place, database_url, tmp_path_factory, tmp_path, capfd
):
    here, there = make_place(), make_place()
    environment = {
        "SEARCH_DATABASE_URL": database_url,
        "SEARCH_LEASE_SECONDS": "2",
        "SEARCH_ARTIFACTS": str(tmp_path_factory.mktemp("shared")),
    }
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
