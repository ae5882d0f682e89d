"""`search run` with a webhook in a plain locale, from the command line to a real receiver."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from spaces.exits import WRONG
from tests.search.notify.conftest import Receiver

TOY = """
from spaces.params import Float
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    fixed={"seconds_per_epoch": 0.0}, space=[Float("learning_rate", 1e-5, 1.0, log=True)])
"""
PLAIN_LOCALE = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# The same command with a worker that writes down its environment and finds its study wrong.
WITH_ANOTHER_WORKER = f"""
import sys
from search.commands.run import run
from search.parser import build_parser
from search.settings import read_settings
arguments = build_parser().parse_args(["run", "--study", "toy.py", "--no-dashboard"])
sys.exit(run(arguments, read_settings(), ["sh", "-c", "env > environment; exit {WRONG}"]))
"""


@pytest.fixture
def place(
    tmp_path: Path, database_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with toy.py, in an environment that names the receiver."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    monkeypatch.setenv("SEARCH_WEBHOOK", receiver.url)
    monkeypatch.setenv("SEARCH_WEBHOOK_SECRET", "s3cret")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_finished_study_is_told_once_however_often_it_is_run_and_then_has_no_dashboard(
    place: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-P", "-m", "search.cli"]
    for name, value in PLAIN_LOCALE.items():
        monkeypatch.setenv(name, value)

    first, again = (
        subprocess.run([*command, "run", "--study", "toy.py"], capture_output=True, text=True)
        for _ in range(2)
    )
    unread = subprocess.run(f"{shlex.join(command)} status >&-", shell=True)

    ends = [each.returncode for each in (first, again, unread)]
    assert ends == [0, 0, 0], first.stderr + again.stderr
    assert "dashboard: http" in first.stdout
    assert "dashboard: http" not in again.stdout
    assert "search run --study toy --trials 4" in again.stdout
    (message,) = receiver.messages
    assert message["event"] == "finished"
    assert message["trials"] == {"ended": 2, "total": 2}
    log = (place / "home" / "logs" / "toy" / "run.log").read_text()
    assert "message finished delivered to 127.0.0.1" in log
    assert "secret" not in log


@pytest.mark.slow
def test_a_run_that_cannot_go_on_is_told_and_its_workers_know_no_secret(
    place: Path, receiver: Receiver
) -> None:
    ended = subprocess.run([sys.executable, "-c", WITH_ANOTHER_WORKER], check=False)
    assert ended.returncode == WRONG
    assert [message["event"] for message in receiver.messages] == ["stopped"]
    handed_on = (place / "environment").read_text()
    assert "SEARCH_HOME" in handed_on
    assert "WEBHOOK" not in handed_on
