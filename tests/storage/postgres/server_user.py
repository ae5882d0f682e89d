"""Users of an embedded Postgres, each a process of its own, and questions to it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import psutil
from sqlalchemy import NullPool, create_engine, text

from storage.postgres.cluster import cluster_of

PATIENCE_SECONDS = 30
NOBODY = 65534
ROOT = Path(__file__).parents[3]
User: TypeAlias = "subprocess.Popen[str]"

# A process that uses the server of argv[1] until its input is closed.
USER = """
import sys
from pathlib import Path
from storage.postgres.server import connect
with connect(Path(sys.argv[1]), None) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def url_of(user: User) -> str:
    """Wait until the user is connected and return the URL that it got."""
    assert user.stdout is not None
    return user.stdout.readline().strip()


def leave(user: User) -> int:
    """End the user's work without a signal and return its exit code."""
    _, complaint = user.communicate(timeout=PATIENCE_SECONDS)
    assert not complaint
    return user.returncode


def kill(process: "User | psutil.Process | None") -> None:
    assert process is not None
    process.kill()
    process.wait(PATIENCE_SECONDS)


def ask(url: str, statement: str) -> object:
    """Run a statement, commit it and return the first value it gives, if any."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        answer = connection.execute(text(statement))
        return answer.scalar() if answer.returns_rows else None


def write_row(url: str) -> None:
    ask(url, "DROP TABLE IF EXISTS kept")
    ask(url, "CREATE TABLE kept (word text)")
    ask(url, "INSERT INTO kept VALUES ('still here')")


def has_row(url: str) -> bool:
    return ask(url, "SELECT word FROM kept") == "still here"


def is_running(home: Path) -> bool:
    return not cluster_of(home).is_dead()


@contextmanager
def ordinary_users_home() -> Iterator[Path]:
    """Yield a home whose path is too long for a socket; for root one of somebody else."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield Path(folder) / ("long" * 30) / ".search"


def as_ordinary_user(home: Path, code: str, uid: int = NOBODY) -> str:
    """Run code that knows `server`, `home` and `ask`, not as root, and return what it prints.

    uid: the user that root runs it as.
    """
    head = f"""
import os, subprocess
from pathlib import Path
from storage.errors import StorageError
from storage.postgres import server
from tests.storage.postgres.server_user import ask, has_row, write_row
home = Path({str(home)!r})
os.chdir("/")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({uid})
    os.setuid({uid})
"""
    command = [sys.executable, "-W", "error", "-c", head + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout.strip()
