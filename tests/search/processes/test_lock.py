"""A study is run once per machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from search.errors import AlreadyRunning
from search.processes.devices import assign
from search.processes.gpus import Gpu
from search.processes.lock import crew_number, gpus_held, run_lock, sole_lock

HOLDS = """
import socket, sys, time
from pathlib import Path
if sys.argv[2:]:
    socket.gethostname = lambda: sys.argv[2]
from search.processes.lock import run_lock
with run_lock("gleason", Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_with_the_pid_and_the_way_to_join(tmp_path: Path):
    refused = f"process {os.getpid()} of .*; .*`search worker --study gleason`"
    with (
        run_lock("gleason", tmp_path / "gleason"),
        pytest.raises(AlreadyRunning, match=refused),
        run_lock("gleason", tmp_path / "gleason"),
    ):
        pass


def test_a_gpu_is_held_once_per_study_whoever_holds_it_and_the_cpu_by_many(tmp_path: Path):
    one, two = Gpu(visible="GPU-1", label="0"), Gpu(visible="GPU-2", label="1")
    with gpus_held("gleason", tmp_path, assign(3, [one], 2)):
        with (
            pytest.raises(AlreadyRunning, match=r"on GPU 0 already; .*--per-gpu"),
            gpus_held("gleason", tmp_path, assign(2, [two, one], 2)),
        ):
            pass
        with gpus_held("gleason", tmp_path, assign(1, [two], 2)):
            pass
    for _ in range(2):
        with gpus_held("gleason", tmp_path, [*assign(1, [one], 2), *assign(2, [], 2)]):
            pass


def test_crews_have_the_first_numbers_that_are_free(tmp_path: Path):
    with crew_number(tmp_path) as first, crew_number(tmp_path) as second:
        assert (first, second) == (1, 2)
    with crew_number(tmp_path) as again:
        assert again == 1


def test_a_killed_run_lets_go_of_its_study(tmp_path: Path):
    command = [sys.executable, "-c", HOLDS, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    with run_lock("gleason", tmp_path):
        assert f"process {os.getpid()} of" in (tmp_path / "run.lock").read_text()


def test_two_hosts_hold_a_study_in_one_home_and_neither_has_it_alone(tmp_path: Path):
    command = [sys.executable, "-c", HOLDS, tmp_path, "box-b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            process.stdout.readline()
            with run_lock("gleason", tmp_path) as beside:
                assert beside == f"{socket.gethostname()}-"
            refused = pytest.raises(AlreadyRunning, match=rf"process {process.pid} of box-b;")
            with refused, sole_lock("gleason", tmp_path):
                pass
        finally:
            process.kill()
    with run_lock("gleason", tmp_path) as beside:
        assert beside == ""
