"""A spawned process never outlives the one that started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from search.processes.spawn import kill, spawn

PARENT = """
import os, sys, time
from pathlib import Path
from search.processes.spawn import spawn
child = spawn(sys.argv[2:], Path(sys.argv[1]), os.environ)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_the_output_of_a_command_is_appended_to_its_log(tmp_path: Path):
    for word in ("one", "two"):
        assert spawn(["echo", word], tmp_path / "logs/worker-1.log", os.environ).wait(20) == 0
    assert (tmp_path / "logs/worker-1.log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("head_start_seconds", [0, 0.01, 0.03, 0.06, 0.5])
def test_killing_the_parent_at_any_instant_leaves_no_orphan(tmp_path: Path, head_start_seconds):
    command = [sys.executable, "-c", PARENT, tmp_path / "log", "sleep", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(head_start_seconds)
        parent.kill()
    assert _is_gone(child)


def test_ctrl_c_in_the_terminal_does_not_reach_a_spawned_process(tmp_path: Path):
    process = spawn(["sleep", "60"], tmp_path / "log", os.environ)
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    kill(process)


def test_killing_a_process_ends_what_it_started_too(tmp_path: Path):
    process = spawn(["sh", "-c", "sleep 60 & echo $!; wait"], tmp_path / "log", os.environ)
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)
    grandchild = psutil.Process(int((tmp_path / "log").read_text()))
    kill(process)
    assert process.returncode == -signal.SIGKILL
    assert _is_gone(grandchild)


def test_a_folder_named_search_where_the_user_stands_is_not_taken_for_ours(tmp_path, monkeypatch):
    (tmp_path / "search").mkdir()
    monkeypatch.chdir(tmp_path)
    assert spawn(["true"], tmp_path / "log", os.environ).wait(20) == 0


@pytest.mark.parametrize("is_handed", [True, False])
def test_a_command_has_the_sockets_it_is_handed_and_no_others(tmp_path: Path, is_handed: bool):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fds = [listener.fileno()] if is_handed else []
        command = ["sh", "-c", f"test -S /proc/$$/fd/{listener.fileno()}"]
        code = spawn(command, tmp_path / "log", os.environ, fds).wait(20)
    assert (code == 0) == is_handed


def _is_gone(process: psutil.Process) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False
