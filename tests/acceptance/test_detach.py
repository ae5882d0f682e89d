"""A run that goes on without the terminal it was typed in."""

import re

import psutil
import pytest

from search.database import open_store
from storage.locks import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


@pytest.fixture
def detach(place, capfd):
    """Runs `search run --detach` and gives its exit code and what it printed."""
    secrets = place.folder / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text("AWS_SESSION_TOKEN=of-the-bucket\n")
    environment = {"SEARCH_SECRETS_FILE": str(secrets)}

    def detach(name, *words):
        capfd.readouterr()
        study = ("--study", "toy.py", "--as", name)
        words = ("run", *study, "--detach", *words)
        code = place.search(*words, environment=environment)
        return code, capfd.readouterr()

    return detach


def test_a_detached_run_goes_on_by_itself_to_its_budget(place, detach):
    code, said = detach("alone", "--workers", "1", "--trials", "2", "--no-dashboard")
    pid = int(re.search(r"as process (\d+)", said.out)[1])

    assert code == 0
    assert psutil.Process(pid).terminal() is None
    assert "AWS_SESSION_TOKEN" not in psutil.Process(pid).environ()
    psutil.wait_procs([psutil.Process(pid)], timeout=60)
    with open_store(place.settings) as store:
        states = [trial.state for trial in store.trials("alone")]
    assert len(states) == 2
    assert set(states) <= {"COMPLETE", "PRUNED"}
    assert "2/2 trials" in (place.settings.logs / "alone" / "detached.log").read_text()


def test_a_detached_run_refuses_a_second_one_and_is_stopped_from_anywhere(place, detach, capfd):
    code, said = detach("stopped-alone", "--trials", "50", "--workers", "2")
    run = psutil.Process(int(re.search(r"as process (\d+)", said.out)[1]))
    assert code == 0
    assert "dashboard: http://127.0.0.1" in said.out
    assert wait_until(lambda: len(run.children()) == 3, 60)  # two workers and the dashboard
    children = run.children()

    again = ("run", "--study", "toy.py", "--as", "stopped-alone", "--detach", "--no-dashboard")
    assert place.search_here(*again) == 2
    assert "is being run by process" in capfd.readouterr().err
    assert place.search_here("stop", "--study", "stopped-alone") == 0

    assert psutil.wait_procs([run, *children], timeout=60)[1] == []
    with open_store(place.settings) as store:
        assert not any(trial.is_leased for trial in store.trials("stopped-alone"))


def test_a_mistake_is_reported_before_the_terminal_is_left(place, capfd):
    odd = ("run", "--study", "toy.py", "--as", "odd", "--detach", "--set", "learning_rat=1")
    assert place.search_here(*odd) == 2
    said = capfd.readouterr()
    assert said.err.count("\n") == 1
    assert "did you mean 'learning_rate'" in said.err
    assert said.out == ""
