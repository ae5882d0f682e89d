"""The script of an array job, run by a real Slurm with programs that end as workers do."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.errors import UsageError
from search.fleet.engine import Fleet, Order, Slot, State
from search.fleet.slurm.engine import SlurmEngine
from storage.locks import wait_until
from tests.search.fleet.slurm_cluster import Cluster, missing, slurm_cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or "there is a Slurm"),
]
OPTIONS = {"partition": None, "time": None, "sbatch": [], "warn_minutes": 1.0}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm_cluster() as cluster:
        yield cluster


@pytest.fixture
def start(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Fleet]:
    """Start tasks whose worker is a line of bash; $1 is its start's number on this task."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)

    def begin(worker: str, tasks: int = 1) -> Fleet:
        program = tmp_path / "python"
        count = f'f={tmp_path}/$SLURM_ARRAY_TASK_ID; n=$(cat "$f" 2>/dev/null || echo 0); '
        program.write_text(f'#!/bin/bash\n{count}\necho $((++n)) > "$f"\n{worker}\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        secrets = tmp_path / "secrets"
        secrets.touch(mode=0o600)
        secrets.write_text("SEARCH_DATABASE_URL=postgresql://db/search\n")
        home = tmp_path / "a home"
        order = Order(
            study="toy", job=tmp_path.name, home=home, workers=tasks, secrets=secrets,
            options=OPTIONS,
        )  # fmt: skip
        return SlurmEngine().up(order, str)

    return begin


def ends(fleet: Fleet, *states: State) -> list[Slot]:
    """Wait until the tasks have these states, and return them."""
    engine = SlurmEngine()
    wait_until(lambda: [slot.state for slot in engine.status(fleet)] == list(states), 60)
    slots = list(engine.status(fleet))
    assert [slot.state for slot in slots] == list(states), (slots, log_of(fleet))
    return slots


def log_of(fleet: Fleet) -> str:
    return "".join(file.read_text() for file in Path(fleet.details["logs"]).glob("*.log"))


WORKERS = """case $SLURM_ARRAY_TASK_ID in
1) ;;  # nothing is left to do
2) echo 'search: other data; bring the same' >&2; exit 4 ;;
3) [ $n -gt 1 ] || kill -SEGV $$ ;;
4) [ $n -gt 1 ] || exit 75 ;;  # its trial is handed back
5) echo "at $SLURMD_NODENAME"; [ $n -gt 1 ] || exit 76 ;;
esac"""


def test_a_worker_ends_its_task_or_comes_back_in_it_or_with_it(start: Callable[..., Fleet]) -> None:
    fleet = start(WORKERS, tasks=5)

    _, refused, crashed, drained, lost = ends(
        fleet, State.DONE, State.REFUSED, State.DONE, State.DONE, State.DONE
    )

    assert refused.reason == "FAILED: search: other data; bring the same"
    assert (crashed.restarts, drained.restarts, lost.restarts) == (0, 1, 1)
    assert "ended with code 139" in log_of(fleet)
    # without its GPU it comes back on another node
    first, second = (line for line in log_of(fleet).splitlines() if line.startswith("at "))
    assert {first, second} == {"at n1", "at n2"}


def test_down_tells_the_worker_and_brings_nothing_back(
    start: Callable[..., Fleet], cluster: Cluster
) -> None:
    wait = "trap 'exit 75' USR1; echo on; while true; do sleep 0.1; done"
    fleet = start(wait, tasks=5)  # more than there are GPUs
    ends(fleet, *[State.UP] * 4, State.QUEUED)
    assert wait_until(lambda: log_of(fleet).count("on\n") == 4, 20)

    SlurmEngine().down(fleet, str, now=False)

    assert cluster.is_empty()
    assert log_of(fleet).count("ends, as search fleet asked") == 4


def test_the_shells_warning_reaches_the_worker(
    start: Callable[..., Fleet], cluster: Cluster
) -> None:
    fleet = start(
        "[ $n -gt 1 ] && exit; trap 'exit 75' USR1; echo on; while true; do sleep 1; done"
    )
    task = ends(fleet, State.UP)[0].name
    assert wait_until(lambda: "on\n" in log_of(fleet), 20)

    cluster.call("scancel", "--batch", "--signal=TERM", task)  # as before the time limit

    assert ends(fleet, State.DONE)[0].restarts == 1


def test_fewer_workers_leave_the_queue_before_running_ones_end(
    start: Callable[..., Fleet], cluster: Cluster
) -> None:
    wait = "trap 'exit 75' USR1; echo on; while true; do sleep 0.1; done"
    fleet = start(wait, tasks=5)
    ends(fleet, *[State.UP] * 4, State.QUEUED)
    assert wait_until(lambda: log_of(fleet).count("on\n") == 4, 20)  # each shell has its trap

    fleet = start(wait, tasks=3)
    ends(fleet, *[State.UP] * 3, State.DRAINED, State.GONE)
    fleet = start(wait, tasks=4)  # another array

    slots = ends(fleet, *[State.UP] * 3, State.DRAINED, State.GONE, State.UP)
    assert slots[0].name.partition("_")[0] != slots[-1].name.partition("_")[0]
    SlurmEngine().down(fleet, str, now=True)
    assert cluster.is_empty()


def test_a_job_that_slurm_rejects_is_refused_in_its_words(
    start: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIONS, "partition", "nowhere")

    with pytest.raises(UsageError, match=r"invalid partition specified: nowhere.*--sbatch$"):
        start("exit 0")
