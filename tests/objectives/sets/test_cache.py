import errno
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from objectives.sets.cache import Array, CachedArray

SHAPE = (40, 3, 8, 8)

BUILDER = """
import sys, time
from pathlib import Path
from objectives.sets.cache import CachedArray

def fill(array):
    array[:20] = 7
    print("half", flush=True)
    time.sleep(float(sys.argv[2]))
    array[20:] = 7

array = CachedArray(folder=Path(sys.argv[1]), key="key", stamp="stamp", shape=(40, 3, 8, 8))
array.open(fill, lambda: None)
print("ready", flush=True)
"""


def fill(array: Array) -> None:
    array[:] = 7


def refuse(array: Array) -> None:
    raise AssertionError(f"built again, all {len(array)} rows")


def nothing() -> None:
    pass


def opened(folder: Path, stamp: str = "stamp", build: object = fill) -> Array:
    array = CachedArray(folder=folder, key="key", stamp=stamp, shape=SHAPE)
    return array.open(build, nothing)  # type: ignore[arg-type]


def start_builder(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    """Start a process that builds; it has filled one half when this returns."""
    command = [sys.executable, "-c", BUILDER, str(folder), str(seconds)]
    builder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert builder.stdout is not None
    assert builder.stdout.readline() == "half\n"
    return builder


def test_an_array_is_built_once_and_mapped_from_then_on(tmp_path: Path) -> None:
    opened(tmp_path)
    again = opened(tmp_path, build=refuse)
    assert isinstance(again, np.memmap)
    assert (again == 7).all()


def test_a_reader_cannot_write_through_to_the_file(tmp_path: Path) -> None:
    opened(tmp_path)[:] = 1
    assert (opened(tmp_path, build=refuse) == 7).all()


def test_changed_sources_build_it_again(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(AssertionError, match="built again"):
        opened(tmp_path, stamp="newer", build=refuse)


@pytest.mark.parametrize(
    "damage", ["truncated", "zeroed", "one byte", "no note", "torn note", "other dtype"]
)
def test_a_damaged_file_is_built_again(tmp_path: Path, damage: str) -> None:
    opened(tmp_path)
    array, note = tmp_path / "key.npy", tmp_path / "key.json"
    size = array.stat().st_size
    if damage == "truncated":
        os.truncate(array, size - 100)
    elif damage == "zeroed":
        array.write_bytes(array.read_bytes()[: size // 2] + bytes(size - size // 2))
    elif damage == "one byte":
        with array.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\x08")
    elif damage == "no note":
        note.unlink()
    elif damage == "torn note":
        note.write_text(note.read_text()[:20])
    else:
        np.save(array, np.zeros(SHAPE))
    assert (opened(tmp_path) == 7).all()


def test_a_builder_killed_half_way_hands_over_to_the_one_that_waits(tmp_path: Path) -> None:
    builder = start_builder(tmp_path, seconds=600)
    waited = []

    def wait() -> None:
        waited.append(builder.poll())
        os.kill(builder.pid, signal.SIGKILL)

    array = CachedArray(folder=tmp_path, key="key", stamp="stamp", shape=SHAPE).open(fill, wait)
    builder.communicate()
    assert (array == 7).all()
    assert waited[0] is None  # it did wait, and said that it was alive
    assert not list(tmp_path.glob("*.partial"))


def test_a_second_worker_waits_for_the_first_and_builds_nothing(tmp_path: Path) -> None:
    builder = start_builder(tmp_path, seconds=0.5)
    assert (opened(tmp_path, build=refuse) == 7).all()
    assert builder.communicate()[0] == "ready\n"


def test_two_threads_build_it_once(tmp_path: Path) -> None:
    builds = []

    def count(array: Array) -> None:
        builds.append(len(array))
        fill(array)

    threads = [threading.Thread(target=opened, args=(tmp_path, "stamp", count)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds == [40]


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="built again"):
        opened(tmp_path, build=refuse)
    assert [path.name for path in tmp_path.iterdir()] == ["key.lock"]


def test_a_full_disk_is_waited_out_before_the_first_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reserve, refusals = os.posix_fallocate, [errno.ENOSPC]

    def no_space_at_first(*place: int) -> None:
        if refusals:
            raise OSError(refusals[0], os.strerror(refusals.pop()))
        reserve(*place)

    monkeypatch.setattr(os, "posix_fallocate", no_space_at_first)
    monkeypatch.setattr("objectives.files.disk.RETRY_SECONDS", 0.1)
    with caplog.at_level(logging.WARNING):
        array = opened(tmp_path)
    assert len(array)
    assert "No space left on device: 0.0 GB needed" in caplog.text


def test_a_folder_that_is_deleted_while_it_is_built_is_built_again(tmp_path: Path) -> None:
    built = []

    def build(array: Array) -> None:
        if not built:
            shutil.rmtree(tmp_path / "cache")
        array[:] = 7
        built.append(array)

    assert (opened(tmp_path / "cache", build=build) == 7).all()
    assert len(built) == 2


def test_a_folder_that_is_deleted_again_and_again_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "cache", build=lambda _: shutil.rmtree(tmp_path / "cache"))
