"""What a result was computed on: device class, versions, commit."""

import ctypes
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

VERSIONED = ("search", "torch", "torchvision", "timm", "numpy", "scikit-learn", "optuna")


def describe_machine(device: str) -> dict[str, Any]:
    """Give what a worker notes of where it computes, as plain data."""
    return {"device_class": device_class(device), "versions": versions(), "commit": commit()}


def process_scope() -> str:
    """Name where a process number means one process: this start of the machine, this container."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def device_class(device: str) -> str:
    """Name the kind of device on which the same configuration gives the same bits."""
    return f"cuda: {_gpu_name()}" if device == "cuda" else f"cpu: {_cpu_name()}"


def versions() -> dict[str, str]:
    """Give the versions of Python and of every package that can change a result."""
    found = {"python": platform.python_version()}
    for package in VERSIONED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Give the commit of the checkout that this code runs from, "+changes" if it was edited."""
    folder = Path(__file__).parent
    head = _git(folder, "rev-parse", "HEAD")
    return head and head + ("+changes" if _git(folder, "status", "--porcelain", "-uno") else "")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    # Two generations may share a name: the widest vectors decide how sums are rounded.
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return " ".join(filter(None, (platform.machine(), *models[:1], vectors)))


def _gpu_name() -> str:
    """Ask the driver for the name of the first visible GPU, without taking memory on it."""
    driver = ctypes.CDLL("libcuda.so.1")
    device, name = ctypes.c_int(), ctypes.create_string_buffer(100)
    driver.cuInit(0)
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, len(name), device)
    return name.value.decode()
