"""`search worker --workers N`: a crew beside a run, killed, drained and started again."""

import signal
from subprocess import Popen

import psutil
import pytest

from search.database import open_store
from storage.locks import wait_until
from storage.rows import WorkerRow
from storage.store import Store

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


LONG = ("--trials", "6", "--set", "seconds_per_epoch=1", "--set", "epochs=4")


@pytest.fixture
def store(place):
    with open_store(place.settings) as opened:
        yield opened


def test_crews_beside_a_run_are_killed_and_drained_and_one_goes_on_to_the_budget(place, store):
    run = place.start_run("many", "--workers", "1", *LONG)
    assert wait_until(lambda: has_study(store, "many"), 60)
    words = ("worker", "--study", "many", "--workers")
    crew, lost = place.start(*words, "2"), place.start(*words, "1")
    assert wait_until(lambda: all(training(store, "many", each) for each in (crew, lost)), 60)
    logs = {path.name for path in (place.settings.logs / "many").iterdir()}
    assert {"worker-1.log", "crew-1-worker-1.log", "crew-2-worker-1.log"} <= logs

    orphans = psutil.Process(lost.pid).children()
    lost.kill()
    psutil.Process(training(store, "many", crew)[0].pid).kill()
    assert wait_until(lambda: "killed" in reasons(store, "many"), 30)
    run.send_signal(signal.SIGTERM)
    crew.send_signal(signal.SIGTERM)

    assert (run.wait(30), crew.wait(30)) == (75, 75)
    assert psutil.wait_procs(orphans, timeout=10)[1] == []
    assert place.search(*words, "2") == 0
    ends = [trial.state in ("COMPLETE", "PRUNED") for trial in store.trials("many")]
    assert ends == [True] * 6
    assert place.search(*words, "2") == 0  # nothing is left


def has_study(store: Store, name: str) -> bool:
    return any(row.name == name for row in store.studies())


def reasons(store: Store, name: str) -> set[str]:
    return {str(attempt.reason) for attempt in store.attempts(name)}


def training(store: Store, name: str, crew: "Popen[bytes]") -> list[WorkerRow]:
    """The workers of a crew that hold a trial."""
    children = {child.pid for child in psutil.Process(crew.pid).children()}
    return [row for row in store.workers(name) if row.trial is not None and row.pid in children]
