"""Processes of scripts whose keeper is gone: they belong to no attempt."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from objectives.script.keeper import KEPT_BY, boot, start_time

log = logging.getLogger(__name__)

ROUNDS = 10  # one process may start another while it is killed


def kill_orphans() -> None:
    """Kill the processes of this user that were started by a keeper which is gone.

    A keeper kills what it started, so some are left only where it was killed itself.
    """
    for _ in range(ROUNDS):
        left = list(_orphans())
        if not left:
            return
        log.warning("%d processes of a script are left of a killed keeper: killed", len(left))
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _orphans() -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if (found := _keeper(folder)) is None:
                continue
            pid, started, machine = found
            if machine == boot() and start_time(int(pid)) != started:
                yield int(folder.name)


def _keeper(folder: Path) -> list[str] | None:
    """Return pid, start time and machine of a process's keeper; None where it has none.

    Another container counts its processes in another way: its keepers are not to be judged here. A
    scheduler may carry the environment to another machine, with pids of its own.
    """
    marker = f"{KEPT_BY}=".encode()
    variables = (folder / "environ").read_bytes().split(b"\0")
    found = [each for each in variables if each.startswith(marker)]
    if not found or (folder / "ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
        return None
    return found[0].removeprefix(marker).decode().split(":")
