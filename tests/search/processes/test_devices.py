"""Which worker gets which device and how many cores."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.errors import UsageError
from search.processes.devices import (
    DeviceShare,
    assign,
    device_shares,
    memory_share,
    usable_cores,
    worker_environment,
)
from search.processes.gpus import Gpu, gpus

TWO = (
    Gpu(visible="GPU-1", label="0", total_bytes=80_000_000_000),
    Gpu(visible="GPU-2", label="1", total_bytes=80_000_000_000),
)


def test_workers_share_the_gpus_in_turn_and_the_cores_equally():
    shares = assign(3, TWO, cores=8)
    assert [share.visible for share in shares] == ["GPU-1", "GPU-2", "GPU-1"]
    assert {(share.device, share.threads) for share in shares} == {("cuda", 2)}


def test_without_a_gpu_workers_run_on_the_cpu_and_see_none():
    assert assign(1, (), cores=2) == [DeviceShare(index=1, device="cpu", visible="", threads=2)]


def test_a_worker_has_a_thread_even_when_workers_outnumber_cores():
    assert {share.threads for share in assign(5, (), cores=2)} == {1}


@pytest.mark.parametrize(
    ("workers", "per_gpu", "labels"),
    [
        (None, 2, ["0", "1", "0", "1"]),
        (3, 2, ["0", "1", "0"]),
        (None, None, ["0", "1"]),
        (5, None, ["0", "1", "0", "1", "0"]),
    ],
)
def test_every_gpu_takes_so_many_workers_and_no_more(monkeypatch, workers, per_gpu, labels):
    monkeypatch.setattr("search.processes.devices.gpus", lambda _: TWO)
    assert [share.label for share in device_shares(workers, None, per_gpu)] == labels


def test_workers_that_share_a_gpu_have_room_beside_what_cuda_takes_for_each():
    alone, first, second, third = (*assign(2, TWO, 8)[:1], *assign(3, TWO, 8))
    assert alone.memory == 1
    # Two of three sit on the first GPU; the third has the same share, for all draw the same trials.
    assert first.memory == second.memory == third.memory == pytest.approx(0.4925)
    assert 3 * (80e9 * memory_share(3, 80_000_000_000) + 600e6) == pytest.approx(80e9)


def test_more_workers_than_places_are_refused_with_the_number_per_gpu_that_has_room(monkeypatch):
    monkeypatch.setattr("search.processes.devices.gpus", lambda _: TWO)
    with pytest.raises(UsageError, match=r"room for 4 \(GPUs: 2\).*raise --per-gpu to 3"):
        device_shares(5, None, 2)


def test_workers_per_gpu_on_a_machine_without_one_are_refused(monkeypatch):
    monkeypatch.setattr("search.processes.devices.gpus", lambda _: ())
    with pytest.raises(UsageError, match="CUDA sees no GPU here"):
        device_shares(4, None, 2)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_limits_the_cores(tmp_path: Path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usable_cores(tmp_path) == cores or len(os.sched_getaffinity(0))


def test_a_worker_sees_its_device_and_its_threads_and_keeps_the_rest_of_the_environment():
    share = DeviceShare(index=1, device="cuda", visible="3", threads=4)
    environment = worker_environment(share, {"HOME": "/h", "TZ": "Asia/Tokyo"})
    assert environment["HOME"] == "/h"
    assert environment["TZ"] == "UTC"
    assert environment["CUDA_VISIBLE_DEVICES"] == "3"
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "4"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.gpu
def test_cuda_in_a_worker_sees_exactly_one_of_the_gpus_counted():
    count = "import torch; print(torch.cuda.device_count())"
    for share in assign(len(gpus(None)), gpus(None), usable_cores()):
        environment = worker_environment(share, os.environ)
        seen = subprocess.check_output([sys.executable, "-c", count], env=environment)
        assert int(seen) == 1
