"""The GPUs as workers get them, from a driver that is made up for real processes."""

import json
import subprocess
import sys

import pytest

from search.processes.gpus import Gpu, gpus, untaken
from tests.madeup.gpus import MadeUp, MadeUpGpus, Slice, uuid

LIST = """
import dataclasses, json, os
from search.processes.gpus import gpus
found = gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
print(json.dumps([dataclasses.asdict(gpu) for gpu in found]))
"""
DOCTOR = """
from search.processes.doctor import examine
from search.settings import read_settings
found = next(each for each in examine(read_settings()) if each.name == "devices")
print(found.level, found.found)
"""
SEES = "from search.processes import driver; print(*driver.gpu_uuids())"
THREE = [MadeUp(uuid(digit)) for digit in (1, 2, 3)]
# The first GPU is divided, the second is whole.
DIVIDED = [MadeUp(uuid(1), slices=(Slice(uuid(7)), Slice(uuid(8)))), MadeUp(uuid(2))]


def say(made_up: MadeUpGpus, code: str, visible: str | None) -> str:
    return subprocess.check_output(
        [sys.executable, "-c", code], env=made_up.environment(visible), text=True
    )


def labels(made_up: MadeUpGpus, visible: str | None) -> list[str]:
    """The labels of a process's GPUs; each alone is what a worker sees."""
    found = [Gpu(**each) for each in json.loads(say(made_up, LIST, visible))]
    for gpu in found:
        (seen,) = say(made_up, SEES, gpu.visible).split()
        assert gpu.visible.partition("-")[2] == seen
    return [gpu.label for gpu in found]


def test_a_machine_without_a_driver_has_no_gpu_whatever_the_environment_says(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", _no_library)
    assert gpus(None) == gpus("0,1") == ()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, ["0", "1", "2"]),
        ("2, 0", ["2", "0"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),  # Slurm's word for none
        ("2,-1,0", ["2"]),
        ("2,9,0", ["2"]),  # CUDA stops at the first one that is not there
        ("1,1", []),  # and takes none where one is named twice
        (f"GPU-{uuid(2)},GPU-3", ["1", "2"]),  # a UUID may be cut off
        ("GPU-", []),
        ("GPU-2,MIG-1", ["1"]),
    ],
    ids=repr,
)
def test_the_gpus_are_those_that_cuda_takes_of_its_variable(made_up_gpus, visible, expected):
    made_up_gpus.put(*THREE)
    assert labels(made_up_gpus, visible) == expected


def test_a_worker_gets_its_gpu_by_a_name_that_outlives_the_loss_of_another(made_up_gpus):
    made_up_gpus.put(*THREE)
    (_, second, _) = json.loads(say(made_up_gpus, LIST, None))
    made_up_gpus.break_one(0)
    assert say(made_up_gpus, SEES, second["visible"]).split() == [uuid(2)]
    assert say(made_up_gpus, SEES, "1").split() == [uuid(3)]  # numbers have moved up
    assert labels(made_up_gpus, None) == ["1", "2"]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [7, 8, 2]),
        ("0", [7, 8]),
        ("0,1", [7, 8, 2]),
        ("1", [2]),
        ("1,0", [2, 7, 8]),
        (f"GPU-{uuid(1)}", [7, 8]),
        (f"MIG-{uuid(8)}", [8]),
        (f"MIG-{uuid(8)},MIG-{uuid(7)}", [8, 7]),
        (f"MIG-GPU-{uuid(1)}/2/0,MIG-GPU-{uuid(1)}/1/0", [8, 7]),
        (f"MIG-{uuid(8)},MIG-{uuid(9)},MIG-{uuid(7)}", [8]),
        ("MIG-7,MIG-8", [7, 8]),
    ],
    ids=repr,
)
def test_every_slice_is_a_device_although_a_process_sees_one(made_up_gpus, visible, expected):
    made_up_gpus.put(*DIVIDED)
    names = ["1" if digit == 2 else f"MIG-{uuid(digit)}" for digit in expected]
    assert labels(made_up_gpus, visible) == names


def test_a_slice_has_the_memory_of_its_own(made_up_gpus):
    made_up_gpus.put(*DIVIDED)
    found = json.loads(say(made_up_gpus, LIST, None))
    assert [each["total_bytes"] for each in found] == [20e9, 20e9, 80e9]


@pytest.mark.parametrize(
    ("visible", "level", "told"),
    [
        (None, "ok", f"MIG-{uuid(7)} (20 GB), MIG-{uuid(8)} (20 GB), GPU 1 (80 GB); a worker"),
        ("1,5,0", "warn", "GPU 1 (80 GB); CUDA does not take '5' of CUDA_VISIBLE_DEVICES=1,5,0"),
        ("9", "warn", "none; CUDA does not take '9' of CUDA_VISIBLE_DEVICES=9"),
        ("0,5", "warn", f"MIG-{uuid(8)} (20 GB); CUDA does not take '5' of CUDA_VISIBLE_DEVICES"),
    ],
    ids=repr,
)
def test_doctor_lists_the_devices_as_workers_get_them(made_up_gpus, visible, level, told):
    made_up_gpus.put(*DIVIDED)
    found, said = say(made_up_gpus, DOCTOR, visible).split(" ", 1)
    assert found == level
    assert told in said


@pytest.mark.parametrize(
    ("visible", "given", "name"),
    [
        (None, ["", ""], ""),
        ("0, 1", ["0", "1"], ""),
        ("", [], ""),
        ("-1", [], ""),
        ("0,9,1", ["0"], "9"),
        ("0,9", ["0", "0"], "9"),  # two slices of the first
        ("0,0", [], "0"),
    ],
)
def test_the_name_that_cuda_does_not_take_is_found(visible, given, name):
    found = [Gpu(visible="GPU-1", label="0", given=each) for each in given]
    assert untaken(visible, found) == name


def _no_library(name: str):
    raise OSError(name)
