"""Kills, pauses and outages lose nothing and change no number."""

import random
import signal
import time
from contextlib import suppress

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text

from search.database import open_store
from storage.errors import DatabaseUnreachable, UnknownStudy
from storage.postgres import server

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

# Every configuration is given and none is pruned: trial N is the same one in any run.
BITS = """
from spaces.data import Digits
from spaces.params import Choice, Float
from spaces.study import Pruning, Study

study = Study(
    name="bits", objective="image_classifier", data=Digits(), metric="val_loss",
    direction="minimize", pruning=Pruning("none"),
    fixed={"image_size": 20, "augmentation": "shift", "backbone": "small_cnn", "epochs": 7},
    space=[Float("learning_rate", 1e-4, 3e-2, log=True), Choice("ldam", (False, True))],
    enqueue=[
        {"learning_rate": 3e-4, "ldam": True},
        {"learning_rate": 1e-2, "ldam": False},
    ],
)
"""
SHORT_LEASE = {"SEARCH_LEASE_SECONDS": "2", "SEARCH_BEAT_SECONDS": "0.5"}


@pytest.fixture
def store(light_place):
    with open_store(light_place.settings) as opened:
        yield opened


@pytest.mark.parametrize("kills", [2, pytest.param(3, marks=pytest.mark.full)])
def test_killed_at_random_the_digits_are_learned_to_the_same_bits(kills, light_place, store):
    (light_place.folder / "bits.py").write_text(BITS)
    quiet, noisy = f"quiet-{kills}", f"noisy-{kills}"
    for name in (quiet, noisy):
        words = ("--study", "bits.py", "--as", name, "--trials", str(kills), "--workers", "0")
        assert light_place.search_here("run", *words) == 0
    assert light_place.search("worker", "--study", quiet, environment=SHORT_LEASE) == 0

    dice = random.Random(7)
    for number in range(kills):
        worker = light_place.start("worker", "--study", noisy, environment=SHORT_LEASE)
        wait_until(lambda at=number: at in {row.trial for row in training(store, noisy)})
        time.sleep(dice.uniform(0, 0.8))
        worker.kill()
        worker.wait()
    assert light_place.search("worker", "--study", noisy, environment=SHORT_LEASE) == 0

    assert [row.reason for row in store.attempts(noisy)].count("lost") == kills
    assert numbers(store, noisy) == numbers(store, quiet)


def test_a_worker_paused_past_its_lease_writes_nothing_and_takes_another_trial(light_place, store):
    run = light_place.start_run("paused", "--trials", "8", environment=SHORT_LEASE)
    paused = wait_until(lambda: training(store, "paused"))[0]
    number = paused.trial
    os_process = psutil.Process(paused.pid)
    os_process.suspend()
    taken = wait_until(
        lambda: [row for row in store.attempts("paused", number) if row.worker != paused.worker]
    )
    os_process.resume()

    assert run.wait(120) == 0
    attempts = store.attempts("paused")
    mine = [row for row in attempts if row.worker == paused.worker]
    assert [row.reason for row in mine if row.number == number] == ["lost"]
    assert len(mine) > 1  # it went on with another trial
    assert {row.attempt for row in store.epochs("paused", number)} <= {1, taken[0].attempt}
    assert all(row.recorded_at < taken[0].started_at for row in epochs_of(store, mine[0]))
    assert all(trial.state in ("COMPLETE", "PRUNED") for trial in store.trials("paused"))
    assert [row.exit_code for row in store.workers("paused")] == [0, 0]


@pytest.mark.parametrize("away_seconds", [8, pytest.param(60, marks=pytest.mark.full)])
def test_no_worker_and_no_trial_is_lost_when_the_database_is_away(
    away_seconds, light_place, tmp_path_factory
):
    home = tmp_path_factory.mktemp("server")
    url, name = server.start(home), f"outage-{away_seconds}"
    environment = {"SEARCH_DATABASE_URL": url}
    if away_seconds < 30:  # longer than a lease, which leaves a busy machine time to beat again
        environment |= {"SEARCH_LEASE_SECONDS": "5", "SEARCH_BEAT_SECONDS": "0.5"}
    slowly = ("--set", "seconds_per_epoch=1.0")
    run = light_place.start_run(name, *slowly, environment=environment)
    try:
        with open_store(light_place.settings_with(f"{url}&application_name=test")) as store:
            wait_until(lambda: len(training(store, name)) == 2)
            counts = [connections(url)]
            stop_immediately(server.status(home).pid)
            time.sleep(away_seconds)
            server.start(home)
            while run.poll() is None:
                counts.append(connections(url))
                time.sleep(0.2)
            assert run.wait() == 0
            # A worker has two at most, a supervisor one; this process's own go by another name.
            assert counts[0] <= 5
            assert max(counts) <= 5
            attempts = store.attempts(name)
            assert [row.number for row in attempts] == [0, 1, 2, 3]
            # The last one may be pruned once the database is back and three are complete.
            assert {row.reason for row in attempts} <= {"finished", "pruned"}
            assert {row.epochs for row in attempts if row.reason == "finished"} == {6}
            assert [row.exit_code for row in store.workers(name)] == [0, 0]
            epochs = [(row.number, row.epoch) for row in store.epochs(name)]
            assert epochs == [
                (row.number, epoch) for row in attempts for epoch in range(1, row.epochs + 1)
            ]
    finally:
        run.kill()
        run.wait()
        server.remove(home)


def stop_immediately(pid: int) -> None:
    """Do what `pg_ctl stop -m immediate` does, and wait for the end."""
    postmaster = psutil.Process(pid)
    postmaster.send_signal(signal.SIGQUIT)
    psutil.wait_procs([postmaster], timeout=30)


def training(store, name):
    """The workers that hold a trial and have recorded an epoch of it."""
    with suppress(UnknownStudy):
        at = {(row.worker, row.number) for row in store.attempts(name) if row.epochs}
        return [row for row in store.workers(name) if (row.worker, row.trial) in at]
    return []


def numbers(store, name):
    """Every number of every epoch but the times."""
    return [
        (row.number, row.epoch, {key: x for key, x in row.metrics.items() if key[-2:] != "_s"})
        for row in store.epochs(name)
    ]


def connections(url):
    """Count the connections of search to the database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'search'"
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return connection.scalar(text(query))


def epochs_of(store, attempt):
    """The epochs that an attempt recorded."""
    rows = store.epochs("paused", attempt.number)
    return [row for row in rows if row.attempt == attempt.attempt]


def wait_until(answer):
    """Ask until the answer is yes, and give it."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with suppress(DatabaseUnreachable):
            if given := answer():
                return given
        time.sleep(0.05)
    return pytest.fail("it did not come to it")
