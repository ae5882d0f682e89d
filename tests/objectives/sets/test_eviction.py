"""Tests of which decoded images make way for new ones, and which never do."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from objectives.files.lock import try_lock
from objectives.sets.cache import Array, CachedArray

ROWS, ROW_BYTES = 40, 1000  # 40 kB an array, and 128 bytes of header
USER = """
import sys
from pathlib import Path
from objectives.sets.cache import CachedArray
array = CachedArray(folder=Path(sys.argv[1]), key="first", stamp="", shape=(40, 1000)).read()
print(array is not None, flush=True)
sys.stdin.read()
print(array.sum(), flush=True)
"""


class Usage(NamedTuple):
    free: int


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the disk have room for five arrays of a cache that may fill half of it."""

    def usage(_: Path) -> Usage:
        return Usage(5 * 41_000 - sum(path.stat().st_size for path in tmp_path.glob("*.npy")))

    monkeypatch.setattr(shutil, "disk_usage", usage)


def cached(folder: Path, key: str) -> CachedArray:
    return CachedArray(folder=folder, key=key, stamp="", shape=(ROWS, ROW_BYTES))


def fill(array: Array) -> None:
    array[:] = 7


def build(folder: Path, key: str, used_at: int | None = None) -> None:
    """Build an array and let go of it again, as if it had been used at that second."""
    cached(folder, key).open(fill, lambda: None)
    if used_at is not None:
        os.utime(folder / f"{key}.json", (used_at, used_at))


def kept(folder: Path) -> set[str]:
    arrays, notes = ({path.stem for path in folder.glob(f"*.{end}")} for end in ("npy", "json"))
    assert arrays == notes
    return arrays


@pytest.mark.usefixtures("free")
def test_the_arrays_used_longest_ago_make_way_for_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    build(tmp_path, "second", used_at=200)
    build(tmp_path, "first", used_at=100)
    build(tmp_path, "third")
    assert kept(tmp_path) == {"second", "third"}
    assert "first.npy: removed 0.0 GB of decoded images" in caplog.text


@pytest.mark.usefixtures("free")
def test_an_array_that_is_read_again_counts_as_used(tmp_path: Path) -> None:
    build(tmp_path, "first", used_at=100)
    build(tmp_path, "second", used_at=200)
    cached(tmp_path, "first").read()
    build(tmp_path, "third")
    assert kept(tmp_path) == {"first", "third"}


@pytest.mark.usefixtures("free")
def test_an_array_in_use_by_another_process_stays(tmp_path: Path) -> None:
    build(tmp_path, "first")
    command = [sys.executable, "-c", USER, str(tmp_path)]
    user = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "True\n"
    os.utime(tmp_path / "first.json", (100, 100))
    build(tmp_path, "second", used_at=200)
    build(tmp_path, "third")
    assert kept(tmp_path) == {"first", "third"}
    assert user.communicate()[0] == f"{7 * ROWS * ROW_BYTES}\n"


@pytest.mark.usefixtures("free")
def test_an_array_that_this_process_still_reads_stays(tmp_path: Path) -> None:
    view = cached(tmp_path, "first").open(fill, lambda: None)[3:5]
    os.utime(tmp_path / "first.json", (100, 100))
    build(tmp_path, "second", used_at=200)
    build(tmp_path, "third")
    assert kept(tmp_path) == {"first", "third"}
    assert (view == 7).all()


@pytest.mark.usefixtures("free")
def test_an_array_that_is_being_built_anew_stays(tmp_path: Path) -> None:
    build(tmp_path, "first", used_at=100)
    build(tmp_path, "second", used_at=200)
    with (tmp_path / "first.lock").open("a") as file:
        assert try_lock(file)
        build(tmp_path, "third")
    assert kept(tmp_path) == {"first", "third"}


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("note", [None, "", "[]", '{"stamp": ""}', "\udcff"])
def test_no_other_file_is_removed(tmp_path: Path, note: str | None) -> None:
    (tmp_path / "mine.npy").write_bytes(bytes(41_000))
    (tmp_path / "seen-0123.jsonl").write_text("[]")
    (tmp_path / "mine.json.partial").write_text("[]")
    if note is not None:
        (tmp_path / "mine.json").write_text(note, errors="surrogateescape")
    before = set(tmp_path.iterdir())
    for key in ("first", "second", "third"):
        build(tmp_path, key)
    assert before <= set(tmp_path.iterdir())


def test_an_array_that_another_process_removes_meanwhile_stops_no_building(tmp_path: Path) -> None:
    build(tmp_path, "first")
    (tmp_path / "first.npy").unlink()
    (tmp_path / "first.npy").symlink_to("removed")  # listed, and not there when it is looked at
    build(tmp_path, "second")
    assert (tmp_path / "second.npy").is_file()


def test_whatever_fits_stays(tmp_path: Path) -> None:
    for number in range(5):
        build(tmp_path, f"key{number}")
    assert len(kept(tmp_path)) == 5


def test_the_half_built_array_of_a_killed_process_goes_when_another_is_built(
    tmp_path: Path,
) -> None:
    left_over, growing = (tmp_path / f"{key}.npy.0123abcd.partial" for key in ("dead", "alive"))
    for path in (left_over, growing):
        path.write_bytes(bytes(1000))
    with (tmp_path / "alive.lock").open("a") as file:
        assert try_lock(file)
        build(tmp_path, "other")
    assert not left_over.exists()
    assert growing.exists()


def test_an_array_removed_while_it_is_read_is_built_again(tmp_path: Path) -> None:
    build(tmp_path, "first")
    with (tmp_path / "first.npy").open("r+b") as file:
        assert try_lock(file)  # as its remover does
        assert cached(tmp_path, "first").read() is None
    assert json.loads((tmp_path / "first.json").read_text())["stamp"] == ""
