"""Two workers behind PgBouncer in transaction mode, one of them killed."""

import tempfile
import time
from pathlib import Path

import psutil
import pytest

from search.database import open_store
from tests.storage.bouncer import pgbouncer

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


@pytest.fixture
def open_folder():
    """A folder whose way every user may go: PgBouncer runs as the server's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_run_behind_pgbouncer_survives_a_kill(place, database_url, open_folder):
    with pgbouncer(database_url, open_folder) as url:
        environment = {"SEARCH_DATABASE_URL": url, "SEARCH_LEASE_SECONDS": "5"}
        run = place.start_run("bounced", "--trials", "5", environment=environment)
        with open_store(place.settings_with(url)) as store:
            victim = wait_for_training(store, run)
            psutil.Process(victim.pid).kill()

            assert run.wait(120) == 0
            trials, attempts = store.trials("bounced"), store.attempts("bounced")
            assert [trial.number for trial in trials] == list(range(5))
            assert {trial.state for trial in trials} <= {"COMPLETE", "PRUNED"}
            ends = [row.reason for row in attempts if row.number == victim.trial]
            assert ends[0] == "killed"
            assert len(attempts) == 6
            assert [(row.number, row.epoch) for row in store.epochs("bounced")] == [
                (trial.number, epoch)
                for trial in trials
                for epoch in range(1, epochs_of(store, trial.number) + 1)
            ]


def wait_for_training(store, run):
    """Wait for a worker that has recorded an epoch of its trial, and return it."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and run.poll() is None:
        if store.studies():
            at = {(row.worker, row.number) for row in store.attempts("bounced") if row.epochs}
            for worker in store.workers("bounced"):
                if (worker.worker, worker.trial) in at:
                    return worker
        time.sleep(0.05)
    return pytest.fail("nothing was trained")


def epochs_of(store, number):
    return max(row.epoch for row in store.epochs("bounced", number))
