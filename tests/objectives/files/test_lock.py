"""Tests of locks that end with their holder."""

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from objectives.files.lock import try_lock

HOLDER = """
import sys, time
from objectives.files.lock import try_lock
file = open(sys.argv[1], "a")
print(try_lock(file), flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "lock").write_text("lock")
    return tmp_path / "lock"


def test_a_lock_keeps_every_other_opening_of_the_file_out(path: Path) -> None:
    with path.open("a") as ours, path.open("a") as other:
        assert try_lock(ours)
        assert not try_lock(other)
        assert not try_lock(other, shared=True)


def test_a_shared_lock_keeps_only_those_out_who_want_it_alone(path: Path) -> None:
    with path.open("rb") as ours, path.open("rb") as other, path.open("a") as remover:
        assert try_lock(ours, shared=True)
        assert try_lock(other, shared=True)
        assert not try_lock(remover)


def test_a_memory_map_keeps_the_lock_of_a_closed_file(path: Path) -> None:
    with path.open("rb") as ours:
        assert try_lock(ours, shared=True)
        mapped = mmap.mmap(ours.fileno(), 0, access=mmap.ACCESS_READ)
    with path.open("a") as other:
        assert not try_lock(other)
        mapped.close()
        assert try_lock(other)


def test_a_killed_process_holds_no_lock(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    with path.open("a") as ours:
        assert not try_lock(ours)
        os.kill(holder.pid, 9)
        holder.communicate()
        assert try_lock(ours)
