"""One embedded Postgres on disk: its files, and the four things that can be done with them."""

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
from storage.postgres.programs import PLACE_FOR_ROOT, is_root, place_for_root, run, server_owner
from storage.postgres.url import DRIVER

PORT = "5432"  # names the socket file; nothing listens on a network
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
    "wal_level": "minimal",  # nobody replicates from here
    "max_wal_senders": "0",
}
INITDB = (
    "--username=postgres",
    "--auth=trust",  # who may enter the socket's folder may enter the database
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
        """What the server has said, up to a megabyte; log.old is from before."""
        return self.folder / "log"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, 0700, under a short enough path."""
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
        """Tell whether a connection is answered: the only proof that the server runs."""
        where = (f"--host={self.socket}", f"--port={PORT}", "--username=postgres")
        return run(self._owner(), "pg_isready", *where).returncode == 0

    def is_dead(self) -> bool:
        """Tell whether every process of the server is gone, orphaned backends included.

        They inherit one file lock at their start. Unlike the pid in postmaster.pid no stranger can
        come by it, and it is seen from every container of the machine.
        """
        with self.lock("server") as lock:
            return lock.try_exclusive()

    def postmaster(self) -> psutil.Process | None:
        """Return the server's first process, None when postmaster.pid names none or a stranger."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = (self.data / "postmaster.pid").read_text().partition("\n")[0]
            process = psutil.Process(int(pid))
            if str(self.data) in process.cmdline():
                return process
        return None

    def make(self) -> None:
        """Make the data folder unless it is there; an attempt that was cut short leaves nothing."""
        if self.data.exists():
            return
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._give_folder(unfinished)
        made = self._run_locked("initdb", *INITDB, f"--pgdata={unfinished}")
        if made.returncode:
            reason = " ".join(made.stderr.split())
            raise StorageError(f"{self.folder}: initdb failed: {reason}; mend that and try again")
        unfinished.rename(self.data)
        _sync(self.folder)

    def launch(self) -> None:
        """Start the server, whose every process must be dead, without waiting for it."""
        self._make_socket_folder()
        # What a killed server left names a pid, which by now may be a stranger's.
        for left in (self.data / "postmaster.pid", self.socket / f"{SOCKET_NAME}.lock"):
            left.unlink(missing_ok=True)
        self._make_log()
        settings = SETTINGS | {"unix_socket_directories": str(self.socket)}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        where = (f"--pgdata={self.data}", f"--log={self.log}", f"--options={options}")
        self._run_locked("pg_ctl", "start", "--no-wait", *where)

    def stop(self) -> None:
        """Stop the server and return when its last process is gone; clients are cut."""
        # A clean stop that is asked for during crash recovery never ends (Postgres 18.4).
        first = signal.SIGINT if self.answers() else signal.SIGQUIT
        for how in (first, signal.SIGQUIT):
            if postmaster := self.postmaster():
                postmaster.send_signal(how)
            if wait_until(self.is_dead, STOP_SECONDS):
                return
        raise StorageError(
            f"{self.folder}: its Postgres does not stop; see {self.log}, end its processes by hand"
        )

    def last_words(self) -> str:
        """Return why the server gave up, as its log says it."""
        since_start = self.log.read_text(errors="replace").rpartition("starting PostgreSQL")[2]
        lines = since_start.splitlines() or ["it said nothing"]
        grave = [line for line in lines if "FATAL" in line or "PANIC" in line]
        own = [line for line in grave if "the database system is" not in line]  # said to clients
        return (own or lines)[-1]

    def _run_locked(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program that, like all it starts, holds the server's lock as long as it lives."""
        with self.lock("server") as lock:
            lock.try_exclusive()
            return run(self._owner(), program, *arguments, inherit=[lock.handle])

    def _owner(self) -> tuple[int, int]:
        if not self.data.exists():
            return server_owner()
        found = self.data.stat()
        return found.st_uid, found.st_gid

    def _make_socket_folder(self) -> None:
        """Make the socket's folder, as a link to a shorter path when its own is too long."""
        folder = self.folder / "socket"
        if folder.exists():
            return
        folder.unlink(missing_ok=True)  # a link whose target was swept out of /tmp
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_BYTES:
            folder.symlink_to(tempfile.mkdtemp(prefix="search-", dir="/tmp"))
        else:
            self._give_folder(folder)

    def _make_log(self) -> None:
        """Make the log unless it is there, after putting one that has grown long aside."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.folder / "log.old")
        self.log.touch(mode=0o600)
        os.chown(self.log, *self._owner())

    def _give_folder(self, folder: Path) -> None:
        """Make a folder that only the server's user and root may enter."""
        folder.mkdir(mode=0o700)
        os.chown(folder, *self._owner())


def place_of(home: Path) -> Path:
    """Return where the home's cluster is found, whether made or not."""
    return home / "postgres"


@explained()
def cluster_of(home: Path) -> Cluster:
    """Return the home's cluster with its folder made: home/postgres, for root as a link."""
    place = place_of(home)
    home.mkdir(parents=True, exist_ok=True)
    if is_root() and not os.path.lexists(place):
        _link_to_place_for_root(place)
    elif not place.is_symlink():
        place.mkdir(mode=0o700, exist_ok=True)
    folder = place.resolve()
    if not folder.exists():
        raise StorageError(
            f"{folder}: what this home's Postgres kept is gone; bring the folder back, "
            f"or remove {place} to begin with an empty database"
        )
    is_ours = folder.parent == PLACE_FOR_ROOT if is_root() else folder.stat().st_uid == os.geteuid()
    if not is_ours:
        raise StorageError(
            f"{folder} (uid {folder.stat().st_uid}) is not ours (uid {os.geteuid()}); "
            "run search as the user who made it, or choose another home with SEARCH_HOME"
        )
    return Cluster(folder)


def _link_to_place_for_root(place: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="postgres-of-", dir=place_for_root()))
    folder.chmod(0o755)  # the server's user passes through to its own folders below
    (folder / "home").symlink_to(place.parent.absolute())  # tells a person whose data these are
    try:
        place.symlink_to(folder)
    except FileExistsError:  # another process was faster
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk: a power cut must not take a finished one back."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
