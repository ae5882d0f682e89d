"""CPU time and memory, read from the kernel."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
from sqlalchemy import NullPool, create_engine, text

BACKENDS = """SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend'
   AND pid <> pg_backend_pid()"""


class Clock:
    """The CPU time of this process and of the server's processes."""

    def __init__(self, url: str) -> None:
        with create_engine(url, poolclass=NullPool).connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
            self._server = psutil.Process(psutil.Process(backend).ppid())

    def of(self, turn: Callable[[], object]) -> float:
        """Return the milliseconds that a turn takes of both."""
        return sum(self.split(turn))

    def split(self, turn: Callable[[], object]) -> tuple[float, float]:
        """Return the milliseconds that a turn takes of this process, and of the server."""
        before, served = time.process_time(), self._served()
        turn()
        return (time.process_time() - before) * 1000, self._served() - served

    def _served(self) -> float:
        return cpu_ms([self._server.pid, *(each.pid for each in self._server.children())])


def backends(url: str) -> list[int]:
    """Return the processes that serve a database's clients."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return list(connection.scalars(text(BACKENDS)))


def cpu_ms(processes: list[int]) -> float:
    """Return the milliseconds of CPU that processes have taken so far, to the nanosecond."""
    texts = (Path(f"/proc/{process}/schedstat").read_text() for process in processes)
    return sum(int(each.split()[0]) for each in texts) / 1e6


def peak_mb() -> float:
    """Return the most memory that this process has had.

    Not ru_maxrss, which a process inherits from the larger one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
