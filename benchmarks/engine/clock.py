"""CPU time and memory, read from the kernel."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from sqlalchemy import NullPool, create_engine, text

SETTLE_SECONDS = 0.05  # a server's process ends that long after its client, at most
BACKENDS = """SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend'
   AND pid <> pg_backend_pid() ORDER BY pid"""


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
        """Return the milliseconds that a turn takes of this process, and of the server.

        A process of the server that ends meanwhile counts nothing.
        """
        served, before = self._served(), time.process_time()
        turn()
        client, now = time.process_time() - before, self._served()
        return client * 1000, sum(ms - served.get(pid, 0.0) for pid, ms in now.items())

    def _served(self) -> dict[int, float]:
        pids = [self._server.pid, *(each.pid for each in self._server.children())]
        return {pid: cpu_ms([pid]) for pid in pids}


def backends(url: str) -> list[int]:
    """Return the processes that serve a database's clients, once those of closed ones are gone."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        before, now = [-1], list[int]()
        while now != before:
            time.sleep(SETTLE_SECONDS)
            connection.rollback()  # within a transaction the view stays as it was
            before, now = now, list(connection.scalars(text(BACKENDS)))
    return now


def cpu_ms(processes: list[int]) -> float:
    """Return the milliseconds of CPU that processes have taken, to the nanosecond.

    One that has just ended counts nothing.
    """
    total = 0
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int(Path(f"/proc/{process}/schedstat").read_text().split()[0])
    return total / 1e6


def peak_mb() -> float:
    """Return the most memory that this process has had.

    Not ru_maxrss, which a process inherits from the larger one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
