"""The lock of a home's dashboard: one process serves, and every other one finds its address.

The file is locked for as long as the dashboard lives, and any death frees it. Its content stays,
so that the next dashboard opens the port that open pages know.
"""

import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psutil

from dashboards.door.port import PortError, address, listen
from search.errors import AlreadyRunning
from search.settings import Settings
from storage.locks import FileLock, wait_until

RECORD_BYTES = 512  # always written in one piece, so that nobody reads half an address
PATIENCE_SECONDS = 5.0  # between the lock and the address lies only the opening of the port
CLOSING_SECONDS = 0.3  # a killed process frees its lock a moment before its port


@dataclass(frozen=True, kw_only=True)
class Living:
    """The dashboard that serves a home now.

    pid: of the process that keeps it, a `search run` or a `search dashboard`.
    url: its address, without a page.
    """

    pid: int
    port: int
    url: str

    def page(self, study: str) -> str:
        """Return the address of a study's page."""
        return f"{self.url}/s/{quote(study, safe='')}"


@dataclass(frozen=True, kw_only=True)
class Held:
    """The right to serve a home, and the open port to serve it on."""

    living: Living
    listener: socket.socket
    lock: FileLock

    @property
    def fds(self) -> list[int]:
        """The open files that a dashboard process inherits: it holds port and lock as well."""
        return [self.listener.fileno(), self.lock.handle]

    def close(self) -> None:
        """Free the port, then the lock, unless a dashboard process still holds them."""
        self.listener.close()
        self.lock.close()


def find_living(settings: Settings) -> Living | None:
    """Find the dashboard that serves this home; None where none does, or one is just starting."""
    path = _path(settings)
    if not path.exists():
        return None
    with FileLock(path) as lock:
        if lock.try_shared():
            return None
        living = _read(lock)
    # The address of one that has died stands there until the next one has opened its port.
    return living if living and psutil.pid_exists(living.pid) else None


def take(settings: Settings, open_port: Callable[[int | None], socket.socket]) -> Held | None:
    """Take the right to serve this home; None where somebody has it.

    open_port: opens the listening socket, given the port of the last dashboard here, if any.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_path(settings))
    try:
        if not lock.try_exclusive():
            lock.close()
            return None
        before = _read(lock)
        listener = open_port(before.port if before else None)
    except BaseException:
        lock.close()
        raise
    port = listener.getsockname()[1]
    held = Held(
        living=Living(pid=os.getpid(), port=port, url=address(listener)),
        listener=listener,
        lock=lock,
    )
    try:
        _write(lock, held.living)
    except BaseException:
        held.close()
        raise
    return held


def take_or_find(
    settings: Settings, open_port: Callable[[int | None], socket.socket]
) -> Held | Living:
    """Take the right to serve this home, or find the dashboard that does; wait for its address."""
    found: list[Held | Living] = []

    def is_found() -> bool:
        either = take(settings, open_port) or find_living(settings)
        found.extend([either] if either else [])
        return bool(either)

    if not wait_until(is_found, PATIENCE_SECONDS):
        raise AlreadyRunning(
            f"another process holds {_path(settings)} and has written no address into it",
            "try again in a moment",
        )
    return found[0]


def open_again(port: int | None) -> socket.socket:
    """Listen on that port once more if it is free, else on the next free one; or raise PortError.

    Pages that are open in a browser find the next dashboard under their own address.
    """
    opened: list[socket.socket] = []

    def is_open() -> bool:
        with suppress(PortError):
            opened.append(listen(port))
        return bool(opened)

    if port is not None and wait_until(is_open, CLOSING_SECONDS):
        return opened[0]
    return listen()


def _path(settings: Settings) -> Path:
    """Name the file: one per machine and user that share the home, and per database and store."""
    reader = [socket.gethostname(), str(os.getuid())]
    shown = [settings.database_url or "", settings.artifacts]
    key = sha256("\n".join(reader + shown).encode()).hexdigest()[:8]
    return settings.home / f"dashboard-{key}.lock"


def _read(lock: FileLock) -> Living | None:
    try:
        return Living(**json.loads(os.pread(lock.handle, RECORD_BYTES, 0)))
    except (ValueError, TypeError):  # new, or of another version
        return None


def _write(lock: FileLock, living: Living) -> None:
    os.pwrite(lock.handle, json.dumps(asdict(living)).encode().ljust(RECORD_BYTES), 0)
