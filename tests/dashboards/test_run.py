"""`search run` brings its dashboard along."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import httpx
import psutil
import pytest

from dashboards.door.port import address, listen
from search.cli import main
from spaces.exits import DRAINED
from storage.locks import wait_until

TOY = """
from spaces.params import Float
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=99,
    fixed={"seconds_per_epoch": 0.5}, space=[Float("learning_rate", 1e-4, 1.0, log=True)])
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The words that run a toy study."""
    (tmp_path / "toy.py").write_text(TOY)
    return [sys.executable, "-P", "-m", "search.cli", "run", "--study", str(tmp_path / "toy.py")]


@pytest.fixture
def run_here(
    command: list[str],
    home: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Run the study in the test's process, where it must be refused, and return what it says."""
    for name, value in environment(home, database_url).items():
        monkeypatch.setenv(name, value)

    def run_here(*words: str) -> str:
        assert main([*command[4:], *words]) == 2
        return capsys.readouterr().err

    return run_here


def environment(home: Path, database_url: str) -> dict[str, str]:
    return os.environ | {"SEARCH_HOME": str(home), "SEARCH_DATABASE_URL": database_url}


@pytest.mark.slow
def test_runs_of_a_home_serve_the_dashboard_that_each_names_until_the_last_one_ends(
    command: list[str], home: Path, database_url: str
) -> None:
    with ExitStack() as ending:

        def start(*words: str) -> tuple[subprocess.Popen[str], IO[str]]:
            run = subprocess.Popen(
                [*command, "--workers", "1", *words],
                env=environment(home, database_url),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            ending.enter_context(run)
            ending.callback(run.kill)
            assert run.stdout is not None
            return run, run.stdout

        first, lines = start()
        base = lines.readline().strip().removeprefix("dashboard: ").removesuffix("/s/toy")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", base)
        [study] = httpx.get(f"{base}/api/studies", timeout=60).json()["study_summaries"]
        detail = httpx.get(f"{base}/api/studies/{study['study_id']}", timeout=60).json()
        assert study["study_name"] == "toy"
        assert "`toy_curve` is judged by `val_loss`" in detail["note"]["body"]
        second, lines = start("--as", "other", "--port", "65000")
        assert "this home has another port already, not 65000" in lines.readline()
        assert lines.readline() == f"dashboard: {base}/s/other\n"
        assert not any(map(is_dashboard, psutil.Process(second.pid).children()))

        first.kill()
        first.wait()

        assert wait_until(lambda: is_served(base), 60)
        assert any(map(is_dashboard, psutil.Process(second.pid).children()))
        second.terminate()
        last = second.communicate()[0].splitlines()[-1]
        assert second.returncode == DRAINED
        assert last == f"look again: search dashboard, then {base}/s/other"
        assert not is_served(base)


def is_dashboard(process: psutil.Process) -> bool:
    return "dashboard" in process.cmdline()


def is_served(base: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{base}/studies.json", timeout=60).status_code == 200
    return False


def test_a_port_in_use_ends_a_run_before_anything_is_written(
    run_here: Callable[..., str], home: Path
) -> None:
    with listen() as listener:
        port = address(listener).rpartition(":")[2]
        said = run_here("--port", port)

    assert re.fullmatch(rf"search: port {port} is in use; .+\n", said)
    assert not home.exists()


def test_a_token_that_protects_nothing_ends_a_run_before_anything_is_written(
    run_here: Callable[..., str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_DASHBOARD_TOKEN", "writer: short")

    assert run_here().startswith("search: SEARCH_DASHBOARD_TOKEN, line 1 has a token of 5 letter")
    assert not home.exists()
