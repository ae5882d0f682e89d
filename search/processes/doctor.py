"""Is this machine ready for a search? Each finding is a fact, with its fix where it is bad."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil

from search.processes.devices import gpus, usable_cores
from search.settings import Settings
from storage import artifacts
from storage.errors import StorageError
from storage.postgres import server

GB = 1e9
DISK_GB = 20  # a ResNet-50 under AdamW takes 0.3 GB a checkpoint, decoded images tens of GB
MEMORY_GB = 4  # a worker on the CPU takes 1 to 2 GB
# Asked in a process of its own: torch is never loaded into the supervisor's.
ASK_TORCH = """
import json, torch, torchvision
devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
print(json.dumps({
    "torch": torch.__version__, "torchvision": torchvision.__version__, "cuda": torch.version.cuda,
    "gpus": [[device.name, device.total_memory] for device in devices],
}))
"""


@dataclass(frozen=True)
class MachineFinding:
    """One fact about this machine. `fix` says what to do about it; "" where nothing need be."""

    name: str
    level: Literal["ok", "warn", "error"]
    found: str
    fix: str = ""


def examine(settings: Settings) -> list[MachineFinding]:
    """Look at all that a search needs here; nothing is started or changed.

    Whether a place of artifacts may be written to is tried by a file that is removed at once.
    """
    return [
        MachineFinding("python", "ok", platform.python_version()),
        *_torch(len(gpus(settings.visible_gpus))),
        MachineFinding("cores", "ok", str(usable_cores())),
        _memory(),
        _disk(settings.home),
        _configured(settings) if settings.database_url else _embedded(settings),
        *([_artifacts(settings.shared_artifacts)] if settings.shared_artifacts else ()),
    ]


def _torch(driver_gpus: int) -> Iterator[MachineFinding]:
    """Find torch and what it sees; `driver_gpus` is how many GPUs the driver itself shows."""
    asked = subprocess.run(
        [sys.executable, "-P", "-c", ASK_TORCH], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        last_words = (asked.stderr.splitlines() or ["it said nothing"])[-1]
        fix = "install the tested versions: pip install --constraint constraints.txt --editable ."
        yield MachineFinding("torch", "error", f"does not load: {last_words}", fix)
        return
    answer = json.loads(asked.stdout)
    cuda = f"CUDA {answer['cuda']}" if answer["cuda"] else "no CUDA"
    versions = f"{answer['torch']}, torchvision {answer['torchvision']}, {cuda}"
    yield MachineFinding("torch", "ok", versions)
    yield _gpus(answer, driver_gpus)


def _gpus(answer: dict[str, Any], driver_gpus: int) -> MachineFinding:
    seen = [f"{name} ({memory / GB:.0f} GB)" for name, memory in answer["gpus"]]
    if len(seen) < driver_gpus:
        found = f"the driver shows {driver_gpus}, torch can use {len(seen)}"
        fix = f"bring NVIDIA's driver up to date, for CUDA {answer['cuda']}"
        if not answer["cuda"]:
            fix = "install a torch built for CUDA"
        return MachineFinding("gpus", "error", found, fix)
    if not seen:
        fix = "if there should be one, install NVIDIA's driver and look at CUDA_VISIBLE_DEVICES"
        return MachineFinding("gpus", "warn", "none: trials train on the CPU", fix)
    return MachineFinding("gpus", "ok", ", ".join(seen))


def _memory() -> MachineFinding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / GB:.0f} of {memory.total / GB:.0f} GB available"
    if memory.available < MEMORY_GB * GB:
        return MachineFinding("memory", "warn", found, "close other programs, or use --workers 1")
    return MachineFinding("memory", "ok", found)


def _disk(home: Path) -> MachineFinding:
    folder = next(folder for folder in (home, *home.parents) if folder.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        fix = "choose another home with SEARCH_HOME"
        return MachineFinding("disk", "error", f"{folder} cannot be written to", fix)
    free = psutil.disk_usage(str(folder)).free
    found = f"{free / GB:.0f} GB free for {home}"
    if free < DISK_GB * GB:
        fix = f"free {DISK_GB} GB, or choose another home with SEARCH_HOME"
        return MachineFinding("disk", "warn", found, fix)
    return MachineFinding("disk", "ok", found)


def _embedded(settings: Settings) -> MachineFinding:
    try:
        status = server.status(settings.home)
    except StorageError as error:
        return _refused(error)
    if not status.is_made:
        return MachineFinding("database", "ok", "embedded Postgres, made by the first `search run`")
    wish = {"kept": "kept up", "stopped": "stopped on purpose"}.get(status.wanted, "up while used")
    state = f"running as process {status.pid}" if status.is_running else "not running"
    return MachineFinding(
        "database", "ok", f"embedded Postgres in {status.folder}, {state}, {wish}"
    )


def _configured(settings: Settings) -> MachineFinding:
    try:
        with server.connect(settings.home, settings.database_url) as url:
            place = urlsplit(url)
    except StorageError as error:
        return _refused(error)
    where = f"{place.hostname or 'the local socket'}{place.path}"
    return MachineFinding("database", "ok", f"Postgres at {where} answers (SEARCH_DATABASE_URL)")


def _artifacts(location: str) -> MachineFinding:
    try:
        artifacts.check_reachable(location)
    except StorageError as error:
        return _refused(error, "artifacts")
    return MachineFinding("artifacts", "ok", f"{location} can be written to (SEARCH_ARTIFACTS)")


def _refused(error: StorageError, name: str = "database") -> MachineFinding:
    found, _, fix = str(error).rpartition("; ")
    return MachineFinding(name, "error", found, fix)
