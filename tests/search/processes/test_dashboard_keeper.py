"""Runs that keep one dashboard for their home, with real processes that are killed."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from dashboards.door.port import listen
from search.processes.dashboard_keeper import DashboardKeeper, DashboardProgram
from search.processes.dashboard_lock import find_living
from search.settings import Settings
from storage.locks import wait_until

PATIENCE_SECONDS = 20
# A dashboard that answers every visitor with its process number.
ANSWERS = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[-1]))
while True:
    with listener.accept()[0] as visitor:
        visitor.sendall(str(os.getpid()).encode())
"""
DASHBOARD = [sys.executable, "-c", ANSWERS]
# A run of the home: it keeps the dashboard until it is ended.
RUNS = """
import os, sys, time
from pathlib import Path
from search.processes.dashboard_keeper import DashboardKeeper, DashboardProgram
from search.settings import Settings
home = Path(sys.argv[1])
program = DashboardProgram(command=sys.argv[2:], environment=os.environ, log=home / "log")
keeper = DashboardKeeper(Settings(home=home), program)
while True:
    keeper.keep()
    time.sleep(0.1)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a run in the home."""
    runs: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", RUNS, str(settings.home), *DASHBOARD]
        runs.append(subprocess.Popen(words))
        return runs[-1]

    yield start
    for run in runs:
        run.kill()
        run.wait()


@pytest.fixture
def keeper(settings: Settings) -> Iterator[DashboardKeeper]:
    """The keeper of a run in this process."""
    with closing(DashboardKeeper(settings, program(settings))) as keeper:
        yield keeper


def program(settings: Settings, *command: str) -> DashboardProgram:
    return DashboardProgram(
        command=command or DASHBOARD, environment=os.environ, log=settings.home / "log"
    )


def answer(port: int) -> int:
    """Return the process number of the dashboard on that port; 0 where nobody answers."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as visitor,
    ):
        return int(visitor.recv(20) or 0)
    return 0


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one without a parent may stay as a zombie."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def port_of(settings: Settings) -> int:
    assert wait_until(lambda: find_living(settings) is not None, PATIENCE_SECONDS)
    living = find_living(settings)
    assert living
    return living.port


def test_a_killed_runs_dashboard_dies_with_it_and_the_next_run_serves_on_its_port(
    settings: Settings, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    first = start()
    port = port_of(settings)
    second, before = start(), answer(port)
    assert psutil.Process(before).ppid() == first.pid

    first.send_signal(signal.SIGKILL)
    first.wait()

    assert wait_until(lambda: answer(port) not in (0, before), PATIENCE_SECONDS)
    assert psutil.Process(answer(port)).ppid() == second.pid
    assert is_gone(before)
    living = find_living(settings)
    assert living
    assert (living.port, living.pid) == (port, second.pid)


def test_a_killed_dashboard_starts_again_while_its_port_stays_taken(
    settings: Settings, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run = start()
    port = port_of(settings)
    before = answer(port)

    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: is_gone(before), PATIENCE_SECONDS)
    after = answer(port)  # it waits in the port that the run holds

    assert after not in (0, before)
    assert psutil.Process(after).ppid() == run.pid


def test_killing_every_run_of_a_home_leaves_no_dashboard(
    settings: Settings, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    runs = [start(), start()]
    dashboard = answer(port_of(settings))
    for run in runs:
        run.kill()
        run.wait()

    assert dashboard
    assert wait_until(lambda: is_gone(dashboard), PATIENCE_SECONDS)
    assert find_living(settings) is None


def test_a_run_that_ends_leaves_no_dashboard_and_the_home_to_the_next(
    settings: Settings, keeper: DashboardKeeper
) -> None:
    keeper.keep()
    dashboard = answer(port_of(settings))
    keeper.close()
    assert dashboard
    assert is_gone(dashboard)
    assert keeper.page("toy") == ""
    with closing(DashboardKeeper(settings, program(settings))) as other:
        assert other.look()
        assert other.page("toy").endswith("/s/toy")


def test_a_dashboard_that_always_dies_is_told_in_the_log_and_ends_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    dying = program(settings, "sh", "-c", "echo no such library; exit 3")
    with closing(DashboardKeeper(settings, dying)) as keeper:

        def is_told() -> bool:
            keeper.keep()
            return "the dashboard ended by exit code 3: no such library" in caplog.messages

        assert wait_until(is_told, PATIENCE_SECONDS)


def test_a_machine_without_a_free_port_runs_on_with_one_line_in_the_log(
    keeper: DashboardKeeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.door.port.LOOPBACK", "192.0.2.1")  # of nobody
    with caplog.at_level(logging.INFO):
        assert keeper.look()
        assert keeper.look()
    assert [line for line in caplog.messages if "no address 192.0.2.1" in line] == caplog.messages
    assert len(caplog.messages) == 1
    assert keeper.living is None


def test_a_port_opened_for_nothing_is_closed_where_somebody_serves(
    settings: Settings, keeper: DashboardKeeper
) -> None:
    assert keeper.look()
    late = DashboardKeeper(settings, program(settings), listener := listen())
    with closing(late):
        assert late.look()
        assert listener.fileno() == -1
        assert late.living == keeper.living


def test_a_run_that_starts_none_finds_the_one_that_lives(
    settings: Settings, keeper: DashboardKeeper
) -> None:
    finder = DashboardKeeper(settings, None)
    finder.keep()
    assert finder.living is None
    keeper.look()
    finder.look()
    assert finder.living == keeper.living
