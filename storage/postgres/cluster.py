"""One embedded Postgres: its files, and functions to make, launch, probe and stop it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import URL

from storage.errors import StorageError
from storage.locks import FileLock, wait_until
from storage.postgres.place import cluster_folder
from storage.postgres.programs import BEHIND, is_root, naming, run, server_owner
from storage.postgres.url import DRIVER

PORT = "5432"  # a part of the socket file's name; no network port is opened
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_BYTES = 107  # the longest path of a Unix socket on Linux
MARK = "mark"  # in the linked folder of a socket: the mark of the cluster that it belongs to
STOP_SECONDS = 30
PROBE_SECONDS = 5  # `is_dead` of another process holds the lock for a moment
LOG_BYTES = 1_000_000
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": "../socket",  # from the data folder: any home's path will do
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
        """The folder of the server's socket, of mode 0700, under a path that libpq can use."""
        return (self.folder / "socket").resolve()

    @property
    def mark(self) -> str:
        """A mark of this folder, which it keeps when it is moved, and which no copy of it has."""
        with self.lock("server") as lock:
            return str(os.fstat(lock.handle).st_ino)

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
        """Say whether the server accepts a connection, the only proof that it runs.

        A copied folder may lead to the socket of the first one's server, hence the lock.
        """
        if self.is_dead():
            return False
        address = (f"--host={self.socket}", f"--port={PORT}", "--username=postgres")
        return run(self._owner(), "pg_isready", *address).returncode == 0

    def is_dead(self) -> bool:
        """Say whether every process of the server is gone, orphaned backends included.

        All of them inherit one file lock. Unlike the pid in postmaster.pid, no unrelated process
        can come to hold it, and every container of the machine sees it.
        """
        with self.lock("server") as lock:
            return lock.try_shared()

    def postmaster(self) -> psutil.Process | None:
        """Return the server's first process; None when postmaster.pid names no process of its."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = (self.data / "postmaster.pid").read_bytes().partition(b"\n")[0]
            process = psutil.Process(int(pid))
            if self.data.samefile(process.cwd()):
                return process
        return None

    def make(self) -> None:
        """Make the data folder unless it is there. A run that was killed before is begun anew."""
        if self.data.exists():
            return
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._give_folder(unfinished)
        words = ("initdb", *INITDB, f"--pgdata={unfinished.name}")
        made = self._run_locked(*words, before=() if is_root() else naming())
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
        # Without pg_ctl, whose command line a quote or a $ in the home's path would break.
        options = (f"--{name}={value}" for name, value in SETTINGS.items())
        self._run_locked("postgres", "-D", self.data.name, *options, before=BEHIND)

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

    def _run_locked(
        self, program: str, *arguments: str, before: Sequence[str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that holds the server's lock, as does every process that it starts.

        It works in the cluster's folder and names everything from there.
        """
        with self.lock("server") as lock:
            wait_until(lock.try_exclusive, PROBE_SECONDS)
            return run(
                self._owner(),
                program,
                *arguments,
                folder=self.folder,
                inherit=[lock.handle],
                before=before,
            )

    def _owner(self) -> tuple[int, int]:
        if not self.data.exists():
            return server_owner()
        found = self.data.stat()
        return found.st_uid, found.st_gid

    def _make_socket_folder(self) -> None:
        """Make the socket's folder; where libpq cannot use its path, a link to another one."""
        folder = self.folder / "socket"
        if folder.is_symlink() and not self._is_marked(folder):
            folder.unlink()  # a copy's, or its target was swept out of /tmp
        if folder.exists():
            return
        if _can_be_reached(folder / SOCKET_NAME):
            self._give_folder(folder)
            return
        short = Path(tempfile.mkdtemp(prefix="search-", dir="/tmp"))
        (short / MARK).write_text(self._mark_on_disk())
        folder.symlink_to(short)

    def _is_marked(self, folder: Path) -> bool:
        with suppress(OSError):
            return (folder / MARK).read_text() == self._mark_on_disk()
        return False

    def _mark_on_disk(self) -> str:
        """Return the mark with the disk's number: a snapshot of a disk has the same marks."""
        return f"{self.mark} on {self.folder.stat().st_dev}"

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


def cluster_of(home: Path) -> Cluster:
    """Return the home's cluster with its folder made.

    Raises StorageError when the folder is gone, or belongs to another user or another home.
    """
    return Cluster(cluster_folder(home))


def _can_be_reached(socket: Path) -> bool:
    """Say whether libpq can use a socket's path: short, in UTF-8, and not cut at a comma."""
    name = os.fsencode(socket)
    return len(name) <= SOCKET_BYTES and b"," not in name and _is_utf8(name)


def _is_utf8(name: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        return bool(name.decode("utf-8"))
    return False


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk, so that a power cut does not undo a rename."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
