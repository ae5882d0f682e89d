"""Stock Optuna and a stock optuna-dashboard read and write a study while our workers are at it."""

import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import optuna
import optuna_dashboard
import pytest
from optuna.distributions import FloatDistribution

from search.database import open_store
from storage.locks import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS = 7
SPACE = {"learning_rate": FloatDistribution(1e-4, 1.0, log=True)}


def test_stock_optuna_and_its_dashboard_work_beside_our_workers(place, database_url):
    with open_store(place.settings_with(database_url)) as store:
        url = store.engine.url.render_as_string(hide_password=False)
        with stock_dashboard(url) as pages:
            environment = {"SEARCH_DATABASE_URL": database_url}
            run = place.start_run("shared", "--trials", str(TRIALS), environment=environment)
            assert wait_until(lambda: is_stored(store), 60)
            study = optuna.load_study(study_name="shared", storage=url)
            assert wait_until(lambda: len(training(store)) == 2, 60)
            failed, watched = (row.number for row in training(store))

            # Another program asks for a trial and ends it, before a worker is free to take it over.
            asked = study.ask(SPACE)
            study.tell(asked, 0.5)
            # A person fails a trial, writes beside another one, and changes the note.
            ids = {trial.number: trial._trial_id for trial in study.trials}
            for path, content in (
                (f"/api/trials/{ids[failed]}/tell", {"state": "Fail"}),
                (f"/api/trials/{ids[watched]}/user-attrs", {"user_attrs": {"seen": "yes"}}),
            ):
                assert pages.post(path, json=content).status_code == 204
            note = {"body": "ours, too", "version": 2}  # the run wrote the first one
            assert pages.put(f"/api/studies/{study._study_id}/note", json=note).status_code == 204
            # The other program adds a trial and queues one.
            rate = {"learning_rate": 0.25}
            study.add_trial(optuna.create_trial(params=rate, distributions=SPACE, value=0.75))
            study.enqueue_trial({"learning_rate": 0.125})

            assert run.wait(90) == 0

            theirs, ours = study.get_trials(), store.optuna_study("shared").get_trials()
            assert ours == theirs
            assert wait_until(
                lambda: page(pages, study) == page(our_pages(store), study), 10
            )  # a stock page is up to 2 s old
        assert optuna_dashboard.get_note(store.optuna_study("shared")) == "ours, too"

        rows = store.trials("shared")
        assert [row.number for row in rows] == [trial.number for trial in ours] == [*range(TRIALS)]
        assert (rows[failed].state, rows[failed].outcome) == ("FAIL", "ended_elsewhere")
        assert ours[watched].user_attrs["seen"] == "yes"
        told = [(trial.value, trial.params) for trial in ours]
        assert told[asked.number] == (0.5, asked.params)
        assert (0.75, rate) in told
        assert {"learning_rate": 0.125} in [params for _, params in told]
        trained = [row for row in rows if row.outcome in ("finished", "pruned")]
        assert len(trained) == TRIALS - 3
        for row in trained:
            assert [*ours[row.number].intermediate_values] == [*range(1, row.last.epoch + 1)]


def is_stored(store):
    return "shared" in [study.name for study in store.studies()]


def training(store):
    """The trials that workers hold and have recorded an epoch of, with three more to come."""
    return [
        row for row in store.trials("shared") if row.is_leased and row.last and row.last.epoch < 4
    ]


@contextmanager
def stock_dashboard(url):
    """Start optuna-dashboard as its makers ship it, and yield a program that asks it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [program, url, "--host", "127.0.0.1", "--port", port]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            assert wait_until(lambda: is_up(client), 60)
            yield client
        finally:
            process.kill()


def is_up(client):
    try:
        return client.get("/api/studies").status_code == 200
    except httpx.TransportError:
        return False


def our_pages(store):
    """A program that asks the same pages over our storage for readers."""
    transport = httpx.WSGITransport(optuna_dashboard.wsgi(store.optuna_storage))
    return httpx.Client(base_url="http://here", transport=transport)


def page(client, study):
    """The content of a study's page, its steps in order, which Optuna keeps in none."""
    content = client.get(f"/api/studies/{study._study_id}").json()
    for trial in content["trials"] + content["best_trials"]:
        trial["intermediate_values"].sort(key=lambda each: each["step"])
    return content
