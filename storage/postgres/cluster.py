"""One embedded Postgres: its files, and functions to make, launch, probe and stop it."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import URL

from storage.errors import StorageError, explained
from storage.locks import FileLock, wait_until
from storage.postgres.programs import FOLDER_FOR_ROOT, folder_for_root, is_root, run, server_owner
from storage.postgres.url import DRIVER

PORT = "5432"  # a part of the socket file's name; no network port is opened
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_BYTES = 107  # the longest path of a Unix socket on Linux
STOP_SECONDS = 30
LOG_BYTES = 1_000_000
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",  # compiling Optuna's many small queries costs more than running them
    "max_parallel_workers_per_gather": "0",  # the cores are for training, and /dev/shm is small
    "wal_level": "minimal",  # there is no replica
    "max_wal_senders": "0",
}
INITDB = (
    "--username=postgres",
    "--auth=trust",  # the mode of the socket's folder guards the database
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # sorts the same on every machine
    "--builtin-locale=C.UTF-8",
)


@dataclass(frozen=True)
class Cluster:
    """The files of one embedded Postgres, all below `folder`."""

    folder: Path

    @property
    def data(self) -> Path:
        """Postgres's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log, put aside as log.old when it has grown beyond a megabyte."""
        return self.folder / "log"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, of mode 0700, under a path short enough for it."""
        return (self.folder / "socket").resolve()

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database."""
        query = {"host": str(self.socket), "port": PORT}
        return URL.create(
            DRIVER, username="postgres", database="postgres", query=query
        ).render_as_string()

    def lock(self, name: str) -> FileLock:
        """Open one of the cluster's lock files."""
        return FileLock(self.folder / f"{name}.lock")

    def answers(self) -> bool:
        """Say whether the server accepts a connection, the only proof that it runs."""
        address = (f"--host={self.socket}", f"--port={PORT}", "--username=postgres")
        return run(self._owner(), "pg_isready", *address).returncode == 0

    def is_dead(self) -> bool:
        """Say whether every process of the server is gone, orphaned backends included.

        All of them inherit one file lock. Unlike the pid in postmaster.pid, no unrelated process
        can come to hold it, and every container of the machine sees it.
        """
        with self.lock("server") as lock:
            return lock.try_exclusive()

    def postmaster(self) -> psutil.Process | None:
        """Return the server's first process; None when postmaster.pid names no process of its."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = (self.data / "postmaster.pid").read_text().partition("\n")[0]
            process = psutil.Process(int(pid))
            if str(self.data) in process.cmdline():
                return process
        return None

    def make(self) -> None:
        """Make the data folder unless it is there. A run that was killed before is begun anew."""
        if self.data.exists():
            return
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._give_folder(unfinished)
        made = self._run_locked("initdb", *INITDB, f"--pgdata={unfinished}")
        if made.returncode:
            reason = " ".join(made.stderr.split())
            raise StorageError(f"{self.folder}: initdb failed: {reason}", "mend that and try again")
        unfinished.rename(self.data)
        _sync(self.folder)

    def launch(self) -> None:
        """Start the server, whose every process must be dead, without waiting for it."""
        self._make_socket_folder()
        # A killed server leaves files with its pid, which by now may be another process's.
        for left in (self.data / "postmaster.pid", self.socket / f"{SOCKET_NAME}.lock"):
            left.unlink(missing_ok=True)
        self._make_log()
        settings = SETTINGS | {"unix_socket_directories": str(self.socket)}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        words = (f"--pgdata={self.data}", f"--log={self.log}", f"--options={options}")
        self._run_locked("pg_ctl", "start", "--no-wait", *words)

    def stop(self) -> None:
        """Stop the server, cutting its clients, and return when its last process is gone."""
        # A fast stop during crash recovery never ends (Postgres 18.4).
        first = signal.SIGINT if self.answers() else signal.SIGQUIT
        for how in (first, signal.SIGQUIT):
            if postmaster := self.postmaster():
                postmaster.send_signal(how)
            if wait_until(self.is_dead, STOP_SECONDS):
                return
        raise StorageError(
            f"{self.folder}: its Postgres does not stop",
            f"see {self.log}, end its processes by hand",
        )

    def last_words(self) -> str:
        """Return the line of the log that says why the server gave up."""
        since_start = self.log.read_text(errors="replace").rpartition("starting PostgreSQL")[2]
        lines = since_start.splitlines() or ["its log is empty"]
        grave = [line for line in lines if "FATAL" in line or "PANIC" in line]
        # These lines were answers to clients, such as "the database system is starting up".
        own = [line for line in grave if "the database system is" not in line]
        return (own or lines)[-1]

    def _run_locked(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program that holds the server's lock, as does every process that it starts."""
        with self.lock("server") as lock:
            lock.try_exclusive()
            return run(self._owner(), program, *arguments, inherit=[lock.handle])

    def _owner(self) -> tuple[int, int]:
        if not self.data.exists():
            return server_owner()
        found = self.data.stat()
        return found.st_uid, found.st_gid

    def _make_socket_folder(self) -> None:
        """Make the socket's folder; where its path is too long, a link to a shorter one."""
        folder = self.folder / "socket"
        if folder.exists():
            return
        folder.unlink(missing_ok=True)  # a link whose target was swept out of /tmp
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_BYTES:
            folder.symlink_to(tempfile.mkdtemp(prefix="search-", dir="/tmp"))
        else:
            self._give_folder(folder)

    def _make_log(self) -> None:
        """Make the log unless it is there, after putting a long one aside."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.folder / "log.old")
        self.log.touch(mode=0o600)
        os.chown(self.log, *self._owner())

    def _give_folder(self, folder: Path) -> None:
        """Make a folder that only the server's user and root may enter."""
        folder.mkdir(mode=0o700)
        os.chown(folder, *self._owner())


def cluster_path(home: Path) -> Path:
    """Return the path of the home's cluster, made or not."""
    return home / "postgres"


@explained()
def cluster_of(home: Path) -> Cluster:
    """Return the home's cluster with its folder made: home/postgres, for root a link.

    Raises StorageError when the folder is gone or belongs to another user.
    """
    path = cluster_path(home)
    home.mkdir(parents=True, exist_ok=True)
    if is_root() and not os.path.lexists(path):
        _link_to_folder_for_root(path)
    elif not path.is_symlink():
        path.mkdir(mode=0o700, exist_ok=True)
    folder = path.resolve()
    if not folder.exists():
        raise StorageError(
            f"{folder}: the data of this home's Postgres is gone",
            f"bring the folder back, or remove {path} to begin with an empty database",
        )
    _refuse_foreign(folder)
    return Cluster(folder)


def _refuse_foreign(folder: Path) -> None:
    uid = folder.stat().st_uid
    is_ours = folder.parent == FOLDER_FOR_ROOT if is_root() else uid == os.geteuid()
    if not is_ours:
        raise StorageError(
            f"{folder} (uid {uid}) is not ours (uid {os.geteuid()})",
            "run search as the user who made it, or choose another home with SEARCH_HOME",
        )


def _link_to_folder_for_root(path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="postgres-of-", dir=folder_for_root()))
    folder.chmod(0o755)  # the server's user must pass through to its own folders below
    (folder / "home").symlink_to(path.parent.absolute())  # shows a person whose data these are
    try:
        path.symlink_to(folder)
    except FileExistsError:  # another process was faster
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk, so that a power cut does not undo a rename."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
