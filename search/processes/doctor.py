"""Check whether this machine is ready for a search. A finding is a fact and, if bad, its fix."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil

from search.errors import NO_TEMPORARY, TEMPORARY_FIX, UsageError
from search.notify.webhook import read_webhook
from search.processes import driver
from search.processes.devices import usable_cores
from search.processes.gpus import Gpu, gpus, untaken
from search.settings import Settings
from storage import artifacts
from storage.connections import OF_A_RUN, OF_A_WORKER, Room, read_room
from storage.errors import StorageError
from storage.postgres import server
from storage.postgres.cluster import Cluster
from storage.postgres.place import abandoned
from storage.postgres.programs import check_can_make, is_root
from storage.schema import check_usable

GB = 1e9
DISK_GB = 20  # a ResNet-50 under AdamW takes 0.3 GB a checkpoint, decoded images tens of GB
MEMORY_GB = 4  # a worker on the CPU takes 1 to 2 GB
NAMED = 5  # leftovers that one line names
INSTALL = "install the tested versions: pip install --constraint constraints.txt --editable ."
# Run in a process of its own, so that torch is never loaded into this one.
ASK_TORCH = """
import json
try:
    import torch, torchvision
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
else:
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    print(json.dumps({
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "cuda": torch.version.cuda,
        "gpus": [[device.name, device.total_memory] for device in devices],
    }))
"""


@dataclass(frozen=True, kw_only=True)
class MachineFinding:
    """One fact about this machine."""

    name: str
    level: Literal["ok", "warn", "error"]
    found: str
    fix: str = ""  # the next step, "" where none is needed


def examine(settings: Settings, workers: int | None = None) -> Iterator[MachineFinding]:
    """Examine everything that a search needs on this machine; nothing is started or changed.

    torch, which takes seconds to load, comes last, for callers who look for another finding. Write
    access to the artifact store is tried with a file that is removed at once.

    workers: the number on all machines, which the database must have room for; by default those
        that `search run` would start here.
    """
    found = gpus(settings.visible_gpus)
    workers = workers or max(1, len(found))
    yield _ok("python", platform.python_version())
    yield _ok("cores", str(usable_cores()))
    yield _memory()
    yield _disk(settings.home)
    yield from _configured(settings, workers) if settings.database_url else [_embedded(settings)]
    yield from _abandoned()
    if settings.shared_artifacts:
        yield _artifacts(settings.shared_artifacts)
    yield _messages(settings)
    if found or untaken(settings.visible_gpus, found):
        yield _devices(found, settings.visible_gpus)
    yield from find_torch(driver.count_gpus())


def find_torch(driver_gpus: int) -> Iterator[MachineFinding]:
    """Find torch and the GPUs that it can use; `driver_gpus` is the number the driver shows."""
    asked = subprocess.run(
        [sys.executable, "-P", "-c", ASK_TORCH], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        yield _error("torch", f"does not load: exit code {asked.returncode}", INSTALL)
        return
    answer = json.loads(asked.stdout.splitlines()[-1])  # a library may print above it
    if "error" in answer:
        fix = TEMPORARY_FIX if NO_TEMPORARY in answer["error"] else INSTALL
        yield _error("torch", f"does not load: {answer['error']}", fix)
        return
    cuda = f"CUDA {answer['cuda']}" if answer["cuda"] else "no CUDA"
    yield _ok("torch", f"{answer['torch']}, torchvision {answer['torchvision']}, {cuda}")
    yield _gpus(answer, driver_gpus)


def _gpus(answer: dict[str, Any], driver_gpus: int) -> MachineFinding:
    seen = [f"{name} ({memory / GB:.0f} GB)" for name, memory in answer["gpus"]]
    if len(seen) < driver_gpus:
        found = f"the driver shows {driver_gpus}, torch can use {len(seen)}"
        if not answer["cuda"]:
            return _error("gpus", found, "install a torch built for CUDA")
        return _error("gpus", found, f"update NVIDIA's driver, for CUDA {answer['cuda']}")
    if not seen:
        fix = "if there should be one, install NVIDIA's driver and check CUDA_VISIBLE_DEVICES"
        return _warn("gpus", "none: trials train on the CPU", fix)
    return _ok("gpus", ", ".join(seen))


def _devices(found: Sequence[Gpu], visible: str | None) -> MachineFinding:
    """List the devices as workers get them, one each."""
    names = [
        f"{each.name}{f' ({each.total_bytes / GB:.0f} GB)' if each.total_bytes else ''}"
        for each in found
    ]
    listed = ", ".join(names) or "none"
    if name := untaken(visible, found):
        fix = "name each GPU once, as `nvidia-smi -L` lists it, or unset CUDA_VISIBLE_DEVICES"
        what = f"{listed}; CUDA does not take {name!r} of CUDA_VISIBLE_DEVICES={visible}"
        return _warn("devices", what, fix)
    return _ok("devices", f"{listed}; a worker gets one, or with --per-gpu a part of one")


def _memory() -> MachineFinding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / GB:.0f} of {memory.total / GB:.0f} GB available"
    if memory.available < MEMORY_GB * GB:
        return _warn("memory", found, "close other programs, or use --workers 1")
    return _ok("memory", found)


def _disk(home: Path) -> MachineFinding:
    folder = next(folder for folder in (home, *home.parents) if folder.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return _error("disk", f"{folder} cannot be written to", "set SEARCH_HOME to another folder")
    free = psutil.disk_usage(str(folder)).free
    found = f"{free / GB:.0f} GB free for {home}"
    if free < DISK_GB * GB:
        fix = f"free {DISK_GB} GB, or set SEARCH_HOME to another folder"
        return _warn("disk", found, fix)
    return _ok("disk", found)


def _embedded(settings: Settings) -> MachineFinding:
    try:
        status = server.status(settings.home)
        if not status.is_made:
            check_can_make()
    except StorageError as error:
        return _error("database", error.found, error.fix)
    if not status.is_made:
        return _ok("database", "embedded Postgres, made by the first `search run`")
    kept = {"kept": "kept up", "stopped": "stopped on purpose"}.get(status.wanted, "up while used")
    state = f"running as process {status.pid}" if status.is_running else "not running"
    return _ok("database", f"embedded Postgres in {status.folder}, {state}, {kept}")


def _abandoned() -> Iterator[MachineFinding]:
    """Find the data of root's homes that were removed: they lie outside the home."""
    folders = abandoned() if is_root() else []
    if folders:
        running = {folder: first for folder in folders if (first := Cluster(folder).postmaster())}
        named = sorted(folders, key=lambda folder: folder not in running)[:NAMED]
        pids = [str(running[folder].pid) for folder in named if folder in running]
        stop = f"kill -INT {' '.join(pids)}; " if pids else ""
        found = f"{len(folders)} databases of homes that are gone, {len(running)} of them running"
        fix = f"if no such home is on a disk that is away: {stop}rm -r {' '.join(map(str, named))}"
        left = len(folders) - len(named)
        more = f"; then `search doctor` names the other {left}" if left else ""
        yield _warn("leftovers", found, fix + more)


def _configured(settings: Settings, workers: int) -> Iterator[MachineFinding]:
    try:
        with server.connect(settings.home, settings.database_url) as url:
            check_usable(url)
            room, parts = read_room(url), urlsplit(url)
    except StorageError as error:
        yield _error("database", error.found, error.fix)
        return
    port = f":{parts.port}" if parts.hostname and parts.port else ""
    where = f"{parts.hostname or 'the local socket'}{port}{parts.path}"
    yield _ok("database", f"Postgres at {where} answers (SEARCH_DATABASE_URL)")
    yield _connections(room, workers)


def _connections(room: Room, workers: int) -> MachineFinding:
    needed = workers * OF_A_WORKER + OF_A_RUN
    crew = "1 worker" if workers == 1 else f"{workers} workers"
    found = f"{crew} with a dashboard take {needed}, the server allows {room.allowed}"
    if room.others:
        found += f", of which other programs have {room.others}"
    short = needed + room.others - room.allowed
    if short <= 0:
        return _ok("connections", found)
    fix = f"raise {room.setting} by {short}, or put PgBouncer before it (docs/operations.md)"
    return _warn("connections", found, fix)


def _artifacts(location: str) -> MachineFinding:
    try:
        artifacts.check_reachable(location)
    except StorageError as error:
        return _error("artifacts", error.found, error.fix)
    return _ok("artifacts", f"{location} can be written to (SEARCH_ARTIFACTS)")


def _messages(settings: Settings) -> MachineFinding:
    """Find where messages go; nothing is sent."""
    try:
        webhook = read_webhook(settings)
    except UsageError as error:
        return _error("messages", error.found, error.fix)
    if webhook is None:
        return _ok("messages", "none are sent (SEARCH_WEBHOOK is not set)")
    signed = "signed" if webhook.secret else "not signed"
    return _ok("messages", f"sent to {webhook.host}, {signed} (SEARCH_WEBHOOK)")


def _ok(name: str, found: str) -> MachineFinding:
    return MachineFinding(name=name, level="ok", found=found)


def _warn(name: str, found: str, fix: str) -> MachineFinding:
    return MachineFinding(name=name, level="warn", found=found, fix=fix)


def _error(name: str, found: str, fix: str) -> MachineFinding:
    return MachineFinding(name=name, level="error", found=found, fix=fix)
