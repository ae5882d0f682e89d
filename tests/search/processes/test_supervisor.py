"""A supervisor with real processes under it and a real Postgres beside it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from dashboards.analysis.snapshot import Snapshot
from search.notify.message import Message
from search.notify.watch import Watch
from search.processes import child, supervisor
from search.processes.devices import DeviceShare
from search.processes.run import Ending, Run
from search.processes.signals import StopFlag
from search.processes.supervisor import supervise
from storage.looks import Look
from storage.postgres import server
from storage.store import Claim, Store
from tests.search.processes.scripted_worker import train
from tests.search.processes.toy_run import a_run, claimed, create_study, ignore, worker_command

Show: TypeAlias = Callable[[Snapshot], None]
OBEDIENT = "trap 'exit 75' TERM; while :; do sleep .05; done"


@pytest.fixture
def scripted(store: Store, database_url: str, tmp_path: Path) -> Callable[..., Run]:
    """Gives a run whose workers follow the trials, with a fault each."""

    def make(*faults: str) -> Run:
        return a_run(store, tmp_path, faults, worker_command(database_url, faults))

    return make


@pytest.fixture
def shell(store: Store, tmp_path: Path) -> Callable[..., Run]:
    """Gives a run whose workers are shell scripts, one each."""

    def make(*scripts: str) -> Run:
        def command(share: DeviceShare, _name: str) -> list[str]:
            return ["sh", "-c", scripts[share.index - 1]]

        return a_run(store, tmp_path, scripts, command)

    return make


@pytest.fixture
def begun(store: Store, tmp_path: Path) -> Callable[..., Run]:
    """Gives a run whose workers are shell scripts, each with a trial that was taken for it."""

    def make(script: Callable[[Claim | None], str], workers: int = 1) -> Run:
        return a_run(store, tmp_path, range(workers), claimed(store, script))

    return make


def test_a_supervisor_its_view_and_its_workers_load_no_torch_and_no_scipy():
    modules = "search.processes.supervisor, search.terminal.progress, search.terminal.status"
    loads = f"import {modules}, search.commands.worker, sys; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", loads], text=True).split()
    assert not {"torch", "torchvision", "sklearn", "scipy"} & set(loaded)


def test_a_run_ends_with_0_when_the_budget_is_reached_and_tells_so(scripted, store):
    told: list[Message] = []
    run = replace(scripted("none"), watch=Watch(told.append))
    assert supervise(run, StopFlag(), ignore) == Ending(0)
    assert [trial.state for trial in store.trials("toy")] == ["COMPLETE"] * 3
    assert [worker.exit_code for worker in store.workers("toy")] == [0]
    assert [message.event for message in told] == ["finished"]


def test_a_run_without_a_complete_trial_ends_with_1(shell):
    assert supervise(shell("exit 0"), StopFlag(), ignore) == Ending(1)


def test_a_killed_workers_trial_goes_on_under_its_number_in_the_next_attempt(scripted, store):
    assert supervise(scripted("die"), StopFlag(), ignore) == Ending(0)
    attempts = store.attempts("toy", 1)
    assert [attempt.reason for attempt in attempts] == ["killed", "finished"]
    assert [attempt.epochs for attempt in attempts] == [1, 2]
    died, followed = store.workers("toy")
    assert (died.exit_code, followed.exit_code) == (-signal.SIGKILL, 0)
    # Not the 30 s of its lease: the supervisor saw it die.
    assert (attempts[1].started_at - attempts[0].started_at).total_seconds() < 15


def test_a_worker_that_does_not_move_is_killed_and_told_and_its_trial_goes_on(store, tmp_path):
    def does_not_move_once(claim: Claim | None) -> str:
        if claim and (claim.number, claim.attempt) == (0, 1):
            return "sleep 600"
        if claim:
            train(store, claim, "none", StopFlag())
        return "exit 75" if claim else "exit 0"

    told: list[Message] = []
    command = claimed(store, does_not_move_once, first_lease_seconds=0.5)
    run = replace(a_run(store, tmp_path, range(1), command), watch=Watch(told.append))
    assert supervise(run, StopFlag(), ignore) == Ending(0)
    assert [row.reason for row in store.attempts("toy", 0)] == ["stalled", "finished"]
    stalled, *followed = store.workers("toy")
    assert stalled.exit_code == -signal.SIGKILL
    assert stalled.reason == "it reported no step for too long"
    assert [worker.exit_code for worker in followed] == [75, 75, 75, 0]
    assert [message.event for message in told] == ["stalled", "finished"]


def test_a_worker_that_hangs_is_killed_even_when_another_has_its_trial(scripted, store):
    # Whoever takes trial 1 first hangs in it; the other one takes it before the grace is over.
    assert supervise(scripted("stall", "stall"), StopFlag(), ignore) == Ending(0)
    assert [row.reason for row in store.attempts("toy", 1)] == ["stalled", "finished"]
    assert -signal.SIGKILL in {worker.exit_code for worker in store.workers("toy")}


@pytest.fixture
def no_pause(monkeypatch):
    """Workers that died start again at once."""
    monkeypatch.setattr(child, "LONGEST_PAUSE_SECONDS", 0)


@pytest.mark.usefixtures("no_pause")
def test_a_trial_that_kills_three_workers_ends_no_run_but_a_fourth_death_in_a_row_does(
    begun, store
):
    ending = supervise(begun(lambda _: "kill -9 $$"), StopFlag(), ignore)
    assert ending.exit_code == 1
    assert "worker 1 ended 4 times in a row without an epoch" in ending.trouble
    assert [trial.state for trial in store.trials("toy")] == ["FAIL", "RUNNING"]


@pytest.mark.usefixtures("no_pause")
def test_code_that_ends_its_process_amid_a_trial_is_no_end_of_the_run(begun, store):
    ending = supervise(begun(lambda _: "exit 0"), StopFlag(), ignore)
    assert ending.exit_code == 1
    assert "its code ended the process with exit code 0" in ending.trouble
    assert [trial.state for trial in store.trials("toy")] == ["FAIL", "RUNNING"]


@pytest.mark.usefixtures("no_pause")
def test_four_deaths_without_an_epoch_stop_a_worker_with_the_reason(shell, tmp_path):
    ending = supervise(shell("echo no such library; kill -9 $$"), StopFlag(), ignore)
    assert ending.exit_code == 1
    assert "worker 1 ended 4 times in a row without an epoch" in ending.trouble
    assert "SIGKILL (no such library)" in ending.trouble
    assert (tmp_path / "worker-1.log").read_text() == "no such library\n" * 4


@pytest.mark.usefixtures("no_pause")
def test_a_shared_place_that_is_away_ends_no_run_and_costs_no_trial_however_often(begun, store):
    def is_away_four_times(claim: Claim | None) -> str:
        if claim and len(store.workers("toy")) > 4:
            train(store, claim, "none", StopFlag())
            return "exit 75"
        return "exit 69" if claim else "exit 0"

    assert supervise(begun(is_away_four_times), StopFlag(), ignore) == Ending(0)
    assert [worker.exit_code for worker in store.workers("toy")] == [69] * 4 + [75] * 3 + [0]
    reasons = [row.reason for row in store.attempts("toy")]
    assert reasons == ["stopped"] * 4 + ["finished"] * 3
    assert [trial.state for trial in store.trials("toy")] == ["COMPLETE"] * 3


def test_workers_that_find_a_shared_place_away_start_again_ever_more_slowly(shell, monkeypatch):
    pauses: list[int] = []
    monkeypatch.setattr(child.Child, "pause", lambda _, deaths: pauses.append(deaths))
    flag = StopFlag()
    supervise(shell("exit 69"), flag, lambda _: flag.drain() if len(pauses) > 5 else None)
    assert pauses[:6] == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("no_pause")
def test_an_ending_with_an_epoch_starts_the_count_again(begun, store):
    def dies(claim: Claim | None) -> str:
        if claim and claim.attempt == 3:  # each trial kills two workers without an epoch before
            train(store, claim, "none", StopFlag())
        return "kill -9 $$" if claim else "exit 0"

    assert supervise(begun(dies), StopFlag(), ignore) == Ending(0)
    assert [worker.exit_code for worker in store.workers("toy")] == [-signal.SIGKILL] * 9 + [0]


def test_a_worker_that_replaces_itself_does_not_wait_as_one_that_died(shell, tmp_path):
    def ends_once(worker: int, code: int) -> str:
        been = f"{tmp_path}/been-{worker}"
        note = f"echo {worker} >> {tmp_path}/starts"
        return f"{note}; test -e {been} && exit 0; touch {been}; exit {code}"

    supervise(shell(ends_once(1, 1), ends_once(2, 75)), StopFlag(), ignore)
    starts = (tmp_path / "starts").read_text().split()
    assert sorted(starts[:2]) == ["1", "2"]
    assert starts[2:] == ["2", "1"]


def test_the_error_that_a_worker_leaves_for_its_supervisor_is_the_reason_of_its_end(shell):
    left = "printf 'search: why; do this' > \"$1\"; echo noise >&2; exit 2"
    assert supervise(shell(left), StopFlag(), ignore) == Ending(2, "search: why; do this")


def test_a_worker_that_could_not_leave_its_error_is_explained_by_its_last_line(shell):
    empty = "printf '' > \"$1\"; echo 'search: why' >&2; exit 2"  # on a full disk
    assert supervise(shell(empty), StopFlag(), ignore) == Ending(2, "search: why")


@pytest.mark.parametrize("code", [2, 3, 4])
def test_what_no_restart_can_mend_stops_the_whole_run_with_the_workers_last_line(shell, code):
    fails = f"echo 'search: why' >&2; exit {code}"
    ending = supervise(shell(fails, OBEDIENT), StopFlag(), ignore)
    assert ending == Ending(code, "search: why")


@pytest.mark.slow
def test_search_stop_drains_from_anywhere_and_the_next_run_goes_on_with_the_trials(scripted, store):
    ask = once(lambda: store.request_stop("toy", "drain"), running(2))
    assert supervise(scripted("wait", "wait"), StopFlag(), ask) == Ending(75)
    assert {attempt.reason for attempt in store.attempts("toy")} == {"drained"}
    store.clear_stop("toy")
    assert supervise(scripted("none"), StopFlag(), ignore) == Ending(0)
    assert [trial.state for trial in store.trials("toy")] == ["COMPLETE"] * 3
    assert [len(store.epochs("toy", number)) for number in range(3)] == [3, 3, 3]


def test_a_second_request_ends_a_worker_that_will_not_listen(shell, tmp_path):
    deaf = f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/pid; wait; wait"
    flag = StopFlag()

    def insist(_snapshot: Snapshot) -> None:
        if (tmp_path / "pid").exists():
            flag.now = flag.draining
            flag.drain()

    assert supervise(shell(deaf), flag, insist) == Ending(130)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_search_stop_now_does_not_wait_for_the_epochs(begun, store):
    ask = once(lambda: store.request_stop("toy", "now"), running(2))
    run = begun(lambda _: "trap '' TERM; while :; do sleep .05; done", workers=2)
    assert supervise(run, StopFlag(), ask) == Ending(75)
    assert [worker.exit_code for worker in store.workers("toy")] == [-signal.SIGKILL] * 2
    assert {attempt.reason for attempt in store.attempts("toy")} == {"stopped"}


def test_no_child_is_left_when_the_view_breaks(begun):
    def breaks(snapshot: Snapshot) -> None:
        if snapshot.running:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        supervise(begun(lambda _: "sleep 600; : a worker", workers=2), StopFlag(), breaks)
    assert not [child for child in psutil.Process().children() if "worker" in str(child.cmdline())]


def test_a_run_that_breaks_says_so_and_a_drain_nothing(shell):
    told: list[Message] = []
    run = replace(shell(OBEDIENT), watch=Watch(told.append))
    flag = StopFlag()
    assert supervise(run, flag, lambda _: flag.drain()) == Ending(75)
    assert told == []
    with pytest.raises(ZeroDivisionError):
        supervise(run, StopFlag(), lambda _: 1 / 0)
    assert [message.event for message in told] == ["stopped"]


def test_each_look_after_the_first_reads_only_what_has_changed(shell, store, monkeypatch):
    monkeypatch.setattr(supervisor, "READ_SECONDS", 0.1)
    befores: list[Look | None] = []
    look = store.look

    def noting(name: str, before: Look | None, newest: int) -> Look:
        befores.append(before)
        return look(name, before, newest)

    monkeypatch.setattr(store, "look", noting)
    flag = StopFlag()
    supervise(shell(OBEDIENT), flag, lambda _: flag.drain() if len(befores) > 3 else None)
    assert befores[0] is None
    assert None not in befores[1:]


@pytest.mark.slow
def test_a_cut_database_costs_no_worker_and_the_embedded_one_is_started_again(tmp_path):
    with server.connect(tmp_path, None) as url, Store.open(url) as store:
        create_study(store)
        run = a_run(store, tmp_path, ["cut"], worker_command(url, ["cut"]))
        run = replace(run, revive_database=lambda: server.ensure_running(tmp_path))
        notes: list[str] = []
        cut = once(lambda: os.kill(server.status(tmp_path).pid or 0, signal.SIGQUIT), has_epoch)

        def show(snapshot: Snapshot) -> None:
            notes.append(snapshot.note)
            cut(snapshot)

        assert supervise(run, StopFlag(), show) == Ending(0)
        assert "the database is away; the workers go on without it" in notes
        assert [worker.exit_code for worker in store.workers("toy")] == [0]
        assert len(store.attempts("toy")) == 3
    server.remove(tmp_path)


def once(action: Callable[[], object], when: Callable[[Snapshot], bool]) -> Show:
    """Gives a view that acts the first time that something is so."""
    left = [action]

    def show(snapshot: Snapshot) -> None:
        if left and when(snapshot):
            left.pop()()

    return show


def has_epoch(snapshot: Snapshot) -> bool:
    return any(trial.last for trial in snapshot.running)


def running(count: int) -> Callable[[Snapshot], bool]:
    return lambda snapshot: len(snapshot.running) == count


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False
