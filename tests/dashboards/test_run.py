"""`search run` brings its dashboard along."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from dashboards.door.port import PortError, address, listen
from search.errors import DRAINED

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
def test_a_run_keeps_the_port_that_it_names_while_its_dashboard_starts_again(
    command: list[str], home: Path, database_url: str
) -> None:
    with subprocess.Popen(
        command, env=environment(home, database_url), stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        named = run.stdout.readline().split()[-1]
        with pytest.raises(PortError, match="in use"):
            listen(int(named.rpartition(":")[2]))

        httpx.get(f"{named}/api/studies", timeout=60)
        children = psutil.Process(run.pid).children()
        (serving,) = (child for child in children if "dashboard" in child.cmdline())
        serving.kill()
        serving.wait()

        assert httpx.get(f"{named}/api/studies", timeout=60).status_code == 200
        run.terminate()
        run.communicate()


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
