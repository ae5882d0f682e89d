"""The machine that a result was computed on: device class, versions, commit."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from objectives.script.environment import without_secrets
from search.processes import driver
from spaces.rules.versions import OF_TRAINING

VERSIONED = ("search", *OF_TRAINING, "optuna")


def describe_machine(device: str, packages: Iterable[str] = ()) -> dict[str, Any]:
    """Describe the machine as plain data, to be stored with a worker.

    packages: further ones whose versions count.
    """
    return {
        "device_class": device_class(device),
        "versions": versions((*VERSIONED, *packages)),
        "commit": commit(),
    }


def process_scope() -> str:
    """Name the scope in which a process number is unique: this boot and this pid namespace."""
    # storage/postgres/server.py reads the boot id as well: storage may not import search.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def device_class(device: str) -> str:
    """Name the kind of device; on one kind the same configuration gives the same bits."""
    return f"cuda: {driver.first_gpu_name()}" if device == "cuda" else f"cpu: {_cpu_name()}"


def versions(packages: Iterable[str] = VERSIONED) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    installed = {package: _version(package) for package in packages}
    found = {package: number for package, number in installed.items() if number}
    return {"python": platform.python_version(), **found}


def commit() -> str | None:
    """Return the commit of this code's checkout, with "+changes" if it was edited; else None."""
    folder = Path(__file__).parent
    head = _git(folder, "rev-parse", "HEAD")
    return head and head + ("+changes" if _git(folder, "status", "--porcelain", "-uno") else "")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            env=without_secrets(os.environ),
            capture_output=True,
            text=True,
            check=True,
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
    # Two generations may share a name; the widest vector instructions decide how sums are rounded.
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return " ".join(filter(None, (platform.machine(), *models[:1], vectors)))
