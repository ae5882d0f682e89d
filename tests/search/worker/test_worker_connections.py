"""How many connections a worker at work has to the database."""

import os
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import make_url, text

from storage.connections import OF_A_WORKER
from storage.store import Store
from tests.search.toy_worker import make_worker

COUNT = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'")


def test_a_worker_at_work_has_one_or_two_connections(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    make_worker(store, tmp_path, trials=3, fixed={"epochs": 8, "seconds_per_epoch": 0.05})
    url = make_url(database_url).update_query_dict({"application_name": "counted"})
    # A beat comes in the middle of an epoch too, beside what the main thread asks.
    environment = {"SEARCH_BEAT_SECONDS": "0.1", "SEARCH_HOME": str(tmp_path / "home")}
    environment["SEARCH_DATABASE_URL"] = url.render_as_string(hide_password=False)
    command = [sys.executable, "-P", "-m", "search.cli", "worker", "--study", "toy"]
    counts = []
    with (
        subprocess.Popen(
            command, env=os.environ | environment, stderr=subprocess.DEVNULL
        ) as worker,
        store.engine.connect() as connection,
    ):
        while worker.poll() is None:
            counts.append(connection.execute(COUNT).scalar_one())
            time.sleep(0.01)

    assert worker.returncode == 0
    assert len(store.attempts("toy")) == 3
    assert 1 <= max(counts) <= OF_A_WORKER == 2
