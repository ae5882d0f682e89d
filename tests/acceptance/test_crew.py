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


def test_a_crew_works_beside_a_run_is_drained_and_goes_on_to_the_budget(place, store):
    run = place.start_run("many", "--workers", "1", *LONG)
    assert wait_until(lambda: has_study(store, "many"), 60)
    crew = place.start("worker", "--study", "many", "--workers", "2")
    assert wait_until(lambda: training(store, "many", crew), 60)

    psutil.Process(training(store, "many", crew)[0].pid).kill()
    assert wait_until(lambda: "killed" in reasons(store, "many"), 30)
    run.send_signal(signal.SIGTERM)
    crew.send_signal(signal.SIGTERM)

    assert (run.wait(30), crew.wait(30)) == (75, 75)
    again = ("worker", "--study", "many", "--workers", "2")
    assert place.search(*again) == 0
    ends = [trial.state in ("COMPLETE", "PRUNED") for trial in store.trials("many")]
    assert ends == [True] * 6
    assert place.search(*again) == 0  # nothing is left


def test_crews_of_a_home_have_logs_of_their_own_and_leave_no_worker_when_killed(place, store):
    run = place.start_run("double", "--workers", "1", *LONG)
    assert wait_until(lambda: has_study(store, "double"), 60)
    crews = [place.start("worker", "--study", "double", "--workers", "1") for _ in range(2)]
    assert wait_until(lambda: all(training(store, "double", crew) for crew in crews), 60)
    logs = {path.name for path in (place.settings.logs / "double").iterdir()}
    assert {"worker-1.log", "crew-1-worker-1.log", "crew-2-worker-1.log"} <= logs

    workers = [child for crew in crews for child in psutil.Process(crew.pid).children()]
    for each in (run, *crews):
        each.kill()

    assert psutil.wait_procs(workers, timeout=10)[1] == []


def has_study(store: Store, name: str) -> bool:
    return any(row.name == name for row in store.studies())


def reasons(store: Store, name: str) -> set[str]:
    return {str(attempt.reason) for attempt in store.attempts(name)}


def training(store: Store, name: str, crew: "Popen[bytes]") -> list[WorkerRow]:
    """The workers of a crew that hold a trial."""
    children = {child.pid for child in psutil.Process(crew.pid).children()}
    return [row for row in store.workers(name) if row.trial is not None and row.pid in children]
