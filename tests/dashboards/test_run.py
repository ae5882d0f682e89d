"""`search run` brings its dashboard along."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import httpx
import psutil
import pytest

from dashboards.door.port import address, listen
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


def environment(home: Path, database_url: str) -> dict[str, str]:
    return os.environ | {"SEARCH_HOME": str(home), "SEARCH_DATABASE_URL": database_url}


@pytest.mark.slow
def test_a_run_serves_the_dashboard_that_it_names(
    command: list[str], home: Path, database_url: str
) -> None:
    with subprocess.Popen(
        command, env=environment(home, database_url), stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        named = re.search(r"http://127\.0\.0\.1:\d+", run.stdout.readline())
        assert named
        with httpx.Client(base_url=named[0]) as client:
            studies = client.get("/api/studies", timeout=60).json()["study_summaries"]
            detail = client.get(f"/api/studies/{studies[0]['study_id']}", timeout=60).json()
        run.terminate()
        run.communicate()

    assert [study["study_name"] for study in studies] == ["toy"]
    assert "`toy_curve` is judged by `val_loss`" in detail["note"]["body"]
    assert run.returncode == DRAINED
    with pytest.raises(httpx.ConnectError):
        httpx.get(named[0])


@pytest.mark.slow
def test_a_second_run_of_the_home_names_the_first_ones_dashboard_and_goes_on_with_it(
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
        assert wait_until(lambda: is_served(base), 60)
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
        assert last == f"look again: search dashboard, then {base}/s/other"
        assert not is_served(base)


def is_dashboard(process: psutil.Process) -> bool:
    return "dashboard" in process.cmdline()


def is_served(base: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{base}/api/studies", timeout=60).status_code == 200
    return False


def test_a_port_in_use_ends_a_run_before_anything_is_written(
    command: list[str], home: Path, database_url: str
) -> None:
    with listen() as listener:
        port = address(listener).rpartition(":")[2]
        ended = subprocess.run(
            [*command, "--port", port],
            env=environment(home, database_url),
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 2
    assert re.fullmatch(rf"search: port {port} is in use; .+\n", ended.stderr)
    assert not home.exists()


def test_a_token_that_protects_nothing_ends_a_run_before_anything_is_written(
    command: list[str], home: Path, database_url: str
) -> None:
    variables = environment(home, database_url) | {"SEARCH_DASHBOARD_TOKEN": "writer: short"}
    ended = subprocess.run(command, env=variables, capture_output=True, text=True)

    assert ended.returncode == 2
    assert ended.stderr.startswith("search: SEARCH_DASHBOARD_TOKEN, line 1 has a token of 5 letter")
    assert not home.exists()
