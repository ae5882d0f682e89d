"""No process of a script is left, whoever is killed, in whatever order."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from objectives.script.failures import ScriptKilled
from objectives.script.keeper import boot, start_time
from objectives.script.orphans import kill_orphans
from tests.objectives.script.conftest import Place, processes_of, wait_until

# Starts a child, a daemon in a session of its own, and a process that ignores SIGTERM; reports.
FAMILY = """
(sleep 300 &)
setsid --fork sleep 301
(trap '' TERM; exec sleep 302) &
echo '{"epoch": 1, "val_loss": 1}' >> $SEARCH_REPORT
exec sleep 303
"""
SIZE = 5  # with the keeper
# What a worker does with a script, in a process that can be killed.
WORKER = """
import sys
from pathlib import Path
from objectives.contract import Attempt, DataSource
from objectives.script.objective import script_objective

folder = Path(sys.argv[1])
declared = {"command": ["bash", "family.sh"], "results": {"kind": "reports"}, "runs_in": "study",
            "grace_seconds": 0.2}
attempt = Attempt(folder=folder / "attempt", data=DataSource(layout={}))
for result in script_objective(declared, folder)({}, attempt):
    print(result.epoch, flush=True)
"""


@pytest.fixture
def worker(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that follows a script with a family, which has reported."""
    place.write("family.sh", FAMILY)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(place.folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "1\n"
        wait_until(lambda: len(processes_of(place.folder)) == SIZE)
        yield worker
        worker.kill()


def keeper_of(worker: subprocess.Popen[str]) -> psutil.Process:
    """The one child of a worker."""
    (keeper,) = psutil.Process(worker.pid).children()
    return keeper


def kill_in_order(*victims: psutil.Process) -> None:
    """Kill processes one right after the other, those that are still there."""
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


def test_a_script_ends_with_the_whole_group_of_its_worker(
    place: Place, worker: subprocess.Popen[str]
) -> None:
    os.killpg(worker.pid, 9)

    wait_until(lambda: not processes_of(place.folder))


@pytest.mark.parametrize(
    "order",
    [
        *itertools.permutations(("script", "keeper")),
        ("script", "worker"),
        ("worker", "script"),
        ("keeper",),
        ("script",),
    ],
    ids=" then ".join,
)
def test_no_process_is_left_whoever_is_killed(
    place: Place, worker: subprocess.Popen[str], order: tuple[str, ...]
) -> None:
    keeper = keeper_of(worker)
    script = next(each for each in keeper.children() if each.cmdline()[-1:] == ["303"])
    by_name = {"worker": psutil.Process(worker.pid), "keeper": keeper, "script": script}

    kill_in_order(*(by_name[name] for name in order))

    wait_until(lambda: not processes_of(place.folder))


@pytest.mark.parametrize("order", [("worker", "keeper"), ("keeper", "worker")], ids=" then ".join)
def test_what_both_left_is_killed_by_the_next_script_of_the_machine(
    place: Place, worker: subprocess.Popen[str], order: tuple[str, ...]
) -> None:
    keeper = keeper_of(worker)
    by_name = {"worker": psutil.Process(worker.pid), "keeper": keeper}
    kill_in_order(*(by_name[name] for name in order))
    wait_until(lambda: start_time(keeper.pid) == "")

    kill_orphans()

    wait_until(lambda: not processes_of(place.folder))


def test_the_processes_of_a_script_that_runs_are_no_orphans(
    place: Place, worker: subprocess.Popen[str]
) -> None:
    kill_orphans()

    time.sleep(0.1)
    assert len(processes_of(place.folder)) == SIZE


def test_children_that_outlive_their_script_are_killed_with_its_end(place: Place) -> None:
    family = FAMILY.replace("exec sleep 303", "sleep .2")
    place.write("family.sh", family)

    assert place.values("bash", "family.sh") == [(1, {"val_loss": 1.0})]

    assert processes_of(place.folder) == []


def test_a_killed_keeper_ends_the_attempt(place: Place) -> None:
    place.write("family.sh", FAMILY)

    with closing(place.results("bash", "family.sh")) as results:
        next(results)
        next(
            each for each in psutil.Process().children() if "keeper.py" in " ".join(each.cmdline())
        ).kill()
        with pytest.raises(ScriptKilled, match="ended by SIGKILL"):
            next(results)

    assert processes_of(place.folder) == []


def test_a_worker_that_is_stopped_by_a_debugger_keeps_its_script(place: Place, worker) -> None:
    psutil.Process(worker.pid).suspend()
    time.sleep(0.2)
    assert len(processes_of(place.folder)) == SIZE
    psutil.Process(worker.pid).resume()


def test_the_script_inherits_no_file_of_its_worker(place: Place, tmp_path: Path) -> None:
    held = (tmp_path / "held").open("w")
    with held:
        place.write(
            "list.sh",
            "ls -l /proc/$$/fd; echo '{\"epoch\": 1}' >> $SEARCH_REPORT",
        )
        place.values("bash", "list.sh")

    assert "held" not in place.output
    assert "socket" not in place.output


@pytest.mark.parametrize(
    ("machine", "is_spared"), [("elsewhere", True), (boot(), False)], ids=["elsewhere", "here"]
)
def test_a_process_of_a_keeper_on_another_machine_is_left_alone(
    machine: str, is_spared: bool
) -> None:
    gone = f"{os.getpid()}:1:{machine}"  # a keeper of this pid that began at another time
    with subprocess.Popen(["sleep", "60"], env={"SEARCH_KEEPER": gone}) as sleeper:
        wait_until(lambda: psutil.Process(sleeper.pid).name() == "sleep")
        kill_orphans()
        time.sleep(0.05)
        assert (sleeper.poll() is None) == is_spared
        sleeper.kill()
