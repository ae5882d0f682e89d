"""The GPUs and CPU cores of this machine, and the share of them that each worker gets."""

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Literal

from search.errors import DeviceLost, UsageError
from search.processes.driver import has_driver
from search.processes.gpus import Gpu, gpus

# What CUDA takes of a GPU for each process, beside what torch counts: it differs by GPU and driver,
# and .3 to .6 GB are usual.
CONTEXT_BYTES = 600e6
SMALL_BYTES = 24e9  # of a small GPU that trains, for one whose memory is not known
MEND = "look for Xid in `dmesg` and reset the GPU or restart the machine"


@dataclass(frozen=True, kw_only=True)
class DeviceShare:
    """The part of this machine that one worker gets: a device and a number of CPU threads."""

    index: int  # the worker's number on this machine, from 1
    device: Literal["cuda", "cpu"]
    visible: str  # the worker's CUDA_VISIBLE_DEVICES, "" on the CPU
    threads: int
    label: str = ""  # what people call its GPU, "" on the CPU
    sharers: int = 1  # the workers on its device, itself included
    memory: float = 1.0  # the share of the device's memory that it may take


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Count the cores that this process may use: its affinity, within a container's CPU quota."""
    return max(1, min([len(os.sched_getaffinity(0)), *_cpu_quotas(cgroups)]))


def assign(workers: int, gpus: Sequence[Gpu], cores: int) -> list[DeviceShare]:
    """Assign each worker one GPU, in turn where workers outnumber them, and its cores."""
    # Never more threads than cores: 2 workers x 2 threads on 2 cores ran at a tenth of the speed.
    threads = max(1, cores // workers)
    if not gpus:
        cpu = DeviceShare(
            index=1,
            device="cpu",
            visible="",
            threads=threads,
            sharers=workers,
            memory=1 / workers,
        )
        return [replace(cpu, index=index + 1) for index in range(workers)]
    most = -(-workers // len(gpus))  # on the GPUs that the first ones share
    return [
        DeviceShare(
            index=index + 1,
            device="cuda",
            visible=gpu.visible,
            threads=threads,
            label=gpu.label,
            sharers=most,
            memory=memory_share(most, gpu.total_bytes or SMALL_BYTES),
        )
        for index, gpu in zip(range(workers), cycle(gpus), strict=False)
    ]


def memory_share(workers: int, total_bytes: float = SMALL_BYTES) -> float:
    """Return the share of a GPU's memory that each of several workers may take.

    total_bytes: the whole memory; a small one where it is not known.
    """
    if workers == 1:
        return 1.0
    return max(0.01, 1 / workers - CONTEXT_BYTES / total_bytes)


def most_workers(worker_bytes: float, total_bytes: float, device: str) -> int:
    """Return how many workers fit on a device, 1 at least, where each takes so much memory.

    worker_bytes: as torch counts them, of one that fits.
    """
    own = CONTEXT_BYTES if device == "cuda" else 0.0
    return max(1, int(total_bytes // (worker_bytes + own)))


def device_shares(
    workers: int | None, visible: str | None, per_gpu: int | None = None
) -> list[DeviceShare]:
    """Divide this machine among its workers; without a number there is one per GPU, else one.

    visible: this process's CUDA_VISIBLE_DEVICES, None when it is not set.
    per_gpu: how many workers a GPU takes at most, and without `workers` exactly.
    Raises UsageError where there is no GPU to share, or fewer places than workers, and DeviceLost
    where the GPUs that are asked for are gone.
    """
    found = _usable(visible)
    if per_gpu:
        _check_places(workers, per_gpu, len(found))
    number = workers or max(1, len(found)) * (per_gpu or 1)
    return assign(number, found, usable_cores())


def _check_places(workers: int | None, per_gpu: int, gpus: int) -> None:
    if not gpus:
        raise UsageError(
            f"--per-gpu is {per_gpu} and CUDA sees no GPU here",
            "see `search doctor`, or train on the CPU with --workers N alone",
        )
    if workers and workers > gpus * per_gpu:
        raise UsageError(
            f"--workers is {workers}, and with --per-gpu {per_gpu} there is room for"
            f" {gpus * per_gpu} (GPUs: {gpus})",
            f"leave --workers out, or raise --per-gpu to {-(-workers // gpus)}",
        )


def own_share(visible: str | None, threads: int | None) -> DeviceShare:
    """Return the share of a worker without a supervisor: the first GPU and every usable core.

    visible: its CUDA_VISIBLE_DEVICES, None when it is not set.
    threads: its OMP_NUM_THREADS, None when it is not set.
    """
    return assign(1, _usable(visible)[:1], threads or usable_cores())[0]


def _usable(visible: str | None) -> tuple[Gpu, ...]:
    """List the GPUs; DeviceLost where some are asked for, and the driver that is here sees none."""
    found = gpus(visible)
    if not found and has_driver() and re.search(r"\d", (visible or "").removeprefix("-1")):
        raise DeviceLost(
            f"CUDA_VISIBLE_DEVICES is {visible} on {socket.gethostname()} and CUDA sees no GPU"
            " there: it is lost, or the name is wrong",
            f"{MEND}, or unset it to train on the CPU",
        )
    return found


def take_share(share: DeviceShare) -> None:
    """Set this process's own environment to its share; call it before torch is loaded."""
    os.environ.update(worker_environment(share, {}))


def worker_environment(share: DeviceShare, base: Mapping[str, str]) -> dict[str, str]:
    """Build a worker's environment: its device and threads, and settings for repeatable results."""
    return {
        # Threads that spin while they wait starve each other on busy cores: an epoch of ResNet-50
        # took 51 and 60 s on two busy cores, and 12 s with this setting, to the same bits.
        "OMP_WAIT_POLICY": "PASSIVE",
        **base,
        "CUDA_VISIBLE_DEVICES": share.visible,
        "OMP_NUM_THREADS": str(share.threads),
        "MKL_NUM_THREADS": str(share.threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # without it cuBLAS is not deterministic
        "TZ": "UTC",  # Optuna 5 stores times without a zone, in UTC
        "PYTHONUNBUFFERED": "1",
    }


def _cpu_quotas(cgroups: Path) -> list[int]:
    """Return the whole cores of each quota in force: cgroup v2's `cpu.max`, then version 1's."""
    quotas = []
    for limit in ("cpu.max", "cpu/cpu.cfs_quota_us"):
        try:
            quota, *period = (cgroups / limit).read_text().split()
            period = period or (cgroups / "cpu/cpu.cfs_period_us").read_text().split()
        except OSError:
            continue
        if quota not in ("max", "-1"):
            quotas.append(int(quota) // int(period[0]))
    return quotas
