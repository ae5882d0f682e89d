"""Users of an embedded Postgres, each a process of its own, and questions to it."""

import subprocess
from pathlib import Path
from typing import TypeAlias

import psutil
from sqlalchemy import NullPool, create_engine, text

from storage.postgres.cluster import cluster_of

PATIENCE_SECONDS = 30
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
