"""A study is run once per machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.errors import AlreadyRunning
from search.processes.lock import run_lock

HOLDS = """
import sys, time
from pathlib import Path
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


def test_a_killed_run_lets_go_of_its_study(tmp_path: Path):
    command = [sys.executable, "-c", HOLDS, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    with run_lock("gleason", tmp_path):
        assert f"process {os.getpid()} of" in (tmp_path / "run.lock").read_text()
