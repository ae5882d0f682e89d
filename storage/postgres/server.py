"""The embedded Postgres: the first process that needs it starts it, the last one stops it.

Three file locks in the cluster's folder coordinate the processes.
`turn`: held by the process that starts or stops the server.
`users`: shared by every process that uses the server.
`server`: held by every process of Postgres.
"""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.errors import DatabaseUnreachable, ForeignServer, StorageError, explained
from storage.locks import FileLock, wait_until
from storage.postgres.cluster import Cluster, cluster_of
from storage.postgres.place import cluster_path
from storage.postgres.url import check_reachable, database_url
from storage.postgres.variables import without_variables
from storage.whole import whole_file

START_SECONDS = 120  # after a crash the log of changes is replayed first
LAUNCHES = 3  # a server can be killed while it starts
TURN_SECONDS = 180  # as long as one start and one stop by other processes
KEPT, STOPPED = (
    "kept",
    "stopped",
)  # the user's request, "kept" or "stopped"; without one the server runs while it is used


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """The state of a home's embedded Postgres.

    wanted: "kept", "stopped" or "" (up while it is used).
    pid: of the server's first process; None when it does not run.
    """

    is_made: bool
    is_running: bool
    wanted: str
    folder: Path
    log: Path
    url: str
    pid: int | None


@contextmanager
def connect(home: Path, configured: str | None) -> Iterator[str]:
    """Yield the URL of a database that answers: the configured one, else the home's own Postgres.

    The home's own is started if it does not run, and stopped by its last user. Raises StorageError
    for a URL that cannot be read, DatabaseUnreachable, and ForeignServer.

    configured: a database URL; None for the home's own Postgres.
    """
    if configured:
        url = database_url(configured)
        check_reachable(url)
        yield url
        return
    cluster = cluster_of(home)
    with without_variables(), cluster.lock("users") as users:
        _join(cluster, users)
        try:
            yield cluster.url
        finally:
            _leave(cluster, users)


def start(home: Path) -> str:
    """Start the home's Postgres, keep it up until `stop`, and return its URL."""
    cluster = cluster_of(home)
    with _turn(cluster):
        _want(cluster, KEPT)
        _ensure_running(cluster)
    return cluster.url


@explained()
def stop(home: Path) -> bool:
    """Stop the home's Postgres on purpose, cutting its users; return False when it was down."""
    if not cluster_path(home).exists():
        return False
    cluster = cluster_of(home)
    with _turn(cluster):
        _refuse_second_host(cluster)
        _want(cluster, STOPPED)
        was_running = not cluster.is_dead()
        _stop(cluster)
    return was_running


def ensure_running(home: Path) -> bool:
    """Start the home's Postgres again if it died; return False when it was stopped on purpose.

    Takes 15 ms when it runs, and up to START_SECONDS when a long crash recovery is due.
    """
    cluster = cluster_of(home)
    with _turn(cluster):
        if _wanted(cluster) == STOPPED:
            return False
        _ensure_running(cluster)
    return True


@explained()
def status(home: Path) -> ServerStatus:
    """Read the state of the home's Postgres, without making or starting anything.

    Raises StorageError where it does not run and would not be started.
    """
    is_made = cluster_path(home).exists()
    cluster = cluster_of(home) if is_made else Cluster(cluster_path(home))
    is_running = is_made and cluster.answers()
    if is_made and not is_running:
        _refuse_second_host(cluster)
        _refuse_torn_copy(cluster)
    postmaster = cluster.postmaster()
    return ServerStatus(
        is_made=is_made,
        is_running=is_running,
        wanted=_wanted(cluster),
        pid=postmaster.pid if postmaster else None,
        folder=cluster.folder,
        log=cluster.log,
        url=cluster.url,
    )


def remove(home: Path) -> None:
    """Stop the home's Postgres and delete its data."""
    if not stop(home) and not cluster_path(home).exists():
        return
    cluster = cluster_of(home)
    for folder in (cluster.socket, cluster.folder):
        shutil.rmtree(folder, ignore_errors=True)
    if cluster_path(home).is_symlink():
        cluster_path(home).unlink()


@contextmanager
def _turn(cluster: Cluster) -> Iterator[None]:
    """Hold the right to start or stop the server, which one process has at a time."""
    with explained(), cluster.lock("turn") as lock:
        if not wait_until(lock.try_exclusive, TURN_SECONDS):
            raise StorageError(
                f"{cluster.folder}: another process has been starting or stopping its Postgres for "
                f"{TURN_SECONDS} s",
                "end that process and try again",
            )
        yield


def _join(cluster: Cluster, users: FileLock) -> None:
    """Become a user of the server, and start it if it does not run."""
    with _turn(cluster):
        if _wanted(cluster) == STOPPED:
            if not users.try_exclusive():
                raise DatabaseUnreachable(
                    f"{cluster.folder}: its Postgres was stopped on purpose under a search",
                    "start it again with 'search database start'",
                )
            _want(cluster, "")
        _ensure_running(cluster)
        users.try_shared()


def _leave(cluster: Cluster, users: FileLock) -> None:
    """Cease to be a user of the server, and stop it if this was the last one."""
    if not cluster.folder.exists():  # Postgres ends by itself when its folder is deleted
        return
    with _turn(cluster):
        if users.try_exclusive() and _wanted(cluster) != KEPT:
            _stop(cluster)


def _ensure_running(cluster: Cluster) -> None:
    if cluster.answers():
        return
    _refuse_second_host(cluster)
    if _comes_up(cluster):
        return
    _refuse_torn_copy(cluster)
    cluster.make()
    _write(_owner_file(cluster), json.dumps({**_this_host(), "mark": cluster.mark}))
    for _ in range(LAUNCHES):
        cluster.launch()
        if _comes_up(cluster):
            return
    raise StorageError(
        f"{cluster.folder}: Postgres does not start: {cluster.last_words()}",
        f"the whole story is in {cluster.log}, mend it and try again",
    )


def _comes_up(cluster: Cluster) -> bool:
    """Wait until the server answers; return False as soon as all its processes are dead."""
    if not wait_until(lambda: cluster.answers() or cluster.is_dead(), START_SECONDS):
        raise StorageError(
            f"{cluster.folder}: its Postgres has not answered for {START_SECONDS} s",
            f"see {cluster.log}, or end it with 'search database stop'",
        )
    return not cluster.is_dead()


def _stop(cluster: Cluster) -> None:
    cluster.stop()
    if not _is_torn_copy(cluster):
        _owner_file(cluster).unlink(missing_ok=True)


def _refuse_second_host(cluster: Cluster) -> None:
    """Raise ForeignServer if the server was started on another machine and not stopped since.

    The same boot id means the same machine, perhaps seen from another container. The same host
    with another boot id is this machine after a restart.
    """
    file, here = _owner_file(cluster), _this_host()
    there = json.loads(file.read_text()) if file.exists() else here
    if there["boot_id"] != here["boot_id"] and there["host"] != here["host"]:
        raise ForeignServer(
            f"{cluster.folder}: its Postgres belongs to machine {there['host']}",
            "give both one Postgres with SEARCH_DATABASE_URL, or run 'search database stop' there, "
            f"or, if that machine is gone, remove {file}",
        )


def _refuse_torn_copy(cluster: Cluster) -> None:
    if _is_torn_copy(cluster):
        raise StorageError(
            f"{cluster.folder}: was copied while its Postgres ran, so that its parts may not fit",
            "stop the other home's with 'search database stop' and copy it again, or, if this is "
            f"all there is, remove {_owner_file(cluster)}",
        )


def _is_torn_copy(cluster: Cluster) -> bool:
    """Say whether the folder was copied while its server ran.

    The files of such a copy are of different moments, and Postgres does not always notice.
    """
    file = _owner_file(cluster)
    noted = json.loads(file.read_text()).get("mark") if file.exists() else None
    return noted is not None and noted != cluster.mark


def _owner_file(cluster: Cluster) -> Path:
    return cluster.folder / "owner.json"


# search/processes/machine.py reads the boot id as well, to tell process numbers of two starts
# apart; storage does not import search.
def _this_host() -> dict[str, str]:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"host": socket.gethostname(), "boot_id": boot_id}


def _wanted(cluster: Cluster) -> str:
    file = cluster.folder / "wanted"
    return file.read_text() if file.exists() else ""


def _want(cluster: Cluster, wish: str) -> None:
    _write(cluster.folder / "wanted", wish)


def _write(path: Path, content: str) -> None:
    with whole_file(path) as file:
        file.write(content.encode())
