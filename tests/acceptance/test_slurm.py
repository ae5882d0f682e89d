"""`search fleet` on a real Slurm: preemption, the time limit, a killed task, and its end."""

import psutil
import pytest

from objectives.data.manifest.manifest import NOTHING
from search.cli import main
from search.database import open_store
from search.studies.create import store_study
from search.studies.declare import data_source, resolved
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from spaces.params import Float
from spaces.study import Study
from storage.locks import wait_until
from storage.postgres import server
from tests.search.fleet.slurm_cluster import missing, slurm_cluster

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or "there is a Slurm"),
]
N2 = "--sbatch=--nodelist=n2"  # the other node holds the task with the time limit


@pytest.fixture(scope="module")
def cluster():
    with slurm_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def store(place, cluster, tmp_path_factory):
    """The store of a server that the nodes reach by a file of secrets."""
    home = tmp_path_factory.mktemp("server")
    try:
        url = server.start(home)
        secrets = place.folder / "secrets"
        secrets.write_text(f"SEARCH_DATABASE_URL={url}\n")
        secrets.chmod(0o600)
        with open_store(place.settings_with(url)) as store:
            yield store
    finally:
        server.remove(home)


@pytest.fixture(scope="module")
def fleet(place, cluster, store):
    """Runs `search fleet`."""
    environment = {
        name: cluster.environment[name] for name in ("SLURM_CONF", "SLURM_TMPDIR", "PATH")
    }
    environment |= {
        "SEARCH_HOME": str(place.settings.home),
        "SEARCH_ARTIFACTS": str(place.folder / "artifacts"),
        "SEARCH_LEASE_SECONDS": "5",
        "SEARCH_SECRETS_FILE": str(place.folder / "secrets"),
    }

    def call(action, study, *words):
        secrets = environment["SEARCH_SECRETS_FILE"]
        options = ("--engine", "slurm", "--secrets", secrets) if action == "up" else ()
        words = ("fleet", action, "--study", study, *options, *words)
        with pytest.MonkeyPatch.context() as patch:
            for name, text in environment.items():
                patch.setenv(name, text)
            assert main(words) == 0

    return call


@pytest.fixture(scope="module", autouse=True)
def limited(fleet, place, store):
    """A task with a limit of a minute, which is warned within half of it, beside all tests."""
    new_study(place, store, "limited", trials=1, epochs=120)
    words = ("--time", "1", "--warn-minutes", "0.4", "--sbatch=--nodelist=n1")
    fleet("up", "limited", "--workers", "1", *words)


def new_study(place, store, name, *, trials, epochs=20):
    study = Study(
        name=name, objective="toy_curve", metric="val_loss", direction="minimize", trials=trials,
        fixed={"epochs": epochs, "seconds_per_epoch": 0.3},
        space=[Float("learning_rate", 1e-4, 1.0, log=True)],
    )  # fmt: skip
    source = data_source(study, None)
    prepared = Prepared(stored=resolved(study), source=source, manifest=NOTHING)
    store_study(prepared, Overrides(name), place.settings, store)


def workers_in_training(store, study, count):
    """Wait for workers that have recorded an epoch of their trial, and return them."""

    def training():
        begun = {row.worker for row in store.attempts(study) if row.epochs and not row.ended_at}
        return [row for row in store.workers(study) if row.worker in begun]

    assert wait_until(lambda: len(training()) == count, 60), "nothing was trained"
    return training()


def task_of(worker):
    told = psutil.Process(worker.pid).environ()
    return f"{told['SLURM_ARRAY_JOB_ID']}_{told['SLURM_ARRAY_TASK_ID']}"


def reasons(store, study):
    return [row.reason for row in store.attempts(study)]


def has_ended(store, study, trials):
    return wait_until(lambda: store.counts(study).ended == trials, 60)


def assert_whole(store, study, trials, epochs=20):
    """Every trial has ended once, with each of its epochs recorded once."""
    rows = store.trials(study)
    assert [row.number for row in rows] == list(range(trials))
    assert {row.state for row in rows} <= {"COMPLETE", "PRUNED"}
    recorded = [(row.number, row.epoch) for row in store.epochs(study)]
    assert len(set(recorded)) == len(recorded)
    full = {row.number for row in rows if row.state == "COMPLETE"}
    assert {number for number, epoch in recorded if epoch == epochs} == full


def test_preempted_and_killed_workers_go_on_and_lose_no_epoch(place, cluster, store, fleet):
    new_study(place, store, "ended", trials=2, epochs=40)
    fleet("up", "ended", "--workers", "2", N2)
    pids = [row.pid for row in workers_in_training(store, "ended", 2)]
    seen = [psutil.Process(pid).environ()["CUDA_VISIBLE_DEVICES"] for pid in pids]
    assert sorted(seen) == ["0", "1"]

    urgent = ("--partition=high", "--nodelist=n2", "--exclusive", "--output=/dev/null")
    cluster.call("sbatch", *urgent, "--wrap=sleep 1")
    assert wait_until(lambda: reasons(store, "ended").count("drained") == 2, 60)
    cancelled, killed = workers_in_training(store, "ended", 2)
    task = task_of(killed)
    cluster.call("scancel", "--signal=KILL", task_of(cancelled))
    psutil.Process(killed.pid).kill()

    assert has_ended(store, "ended", 2)
    assert_whole(store, "ended", 2, epochs=40)
    attempts = store.attempts("ended")
    assert len(attempts) == 6
    # no epoch was lost: each attempt begins behind the last one's
    assert sum(row.epochs for row in attempts) == len(store.epochs("ended"))
    # the task of the killed worker starts another; the cancelled task is gone
    (log,) = (place.settings.study_folder("ended") / "slurm").glob(f"{task}.log")
    assert "the worker ended with code 137" in log.read_text()


def test_down_leaves_no_process_and_no_lease(place, cluster, store, fleet, capfd):
    new_study(place, store, "down", trials=2, epochs=90)
    fleet("up", "down", "--workers", "2", "--per-gpu", "2", N2)  # one task
    pids = [row.pid for row in workers_in_training(store, "down", 2)]
    fleet("status", "down")
    assert capfd.readouterr().out.count("running trial") == 2

    fleet("down", "down")

    assert reasons(store, "down") == ["drained"] * 2
    assert {row.exit_code for row in store.workers("down")} == {75}
    assert not any(psutil.pid_exists(pid) for pid in pids)
    (logs,) = (place.settings.study_folder("down") / "slurm").glob("*_1")
    assert len(list(logs.glob("*worker-*.log"))) == 2
    fleet("up", "down", "--workers", "1", N2)
    workers_in_training(store, "down", 1)
    fleet("down", "down", "--now")
    assert all(row.ended_at for row in store.attempts("down"))
    assert all(row.ended_at for row in store.workers("down"))


def test_the_time_limit_costs_no_epoch(place, cluster, store, fleet):
    assert has_ended(store, "limited", 1)

    assert_whole(store, "limited", 1, epochs=120)
    attempts = store.attempts("limited")
    *warned, last = reasons(store, "limited")
    assert (set(warned), last) == ({"drained"}, "finished")
    assert sum(row.epochs for row in attempts) == 120
    (log,) = (place.settings.study_folder("limited") / "slurm").glob("*.log")
    assert wait_until(lambda: cluster.is_empty(), 20)
    assert f"restarts so far: {len(warned)}" in log.read_text()
    assert "SEARCH_DATABASE_URL" not in log.read_text()
