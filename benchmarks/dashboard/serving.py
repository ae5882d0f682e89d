"""Both dashboards as a person starts them, each a process of its own."""

import os
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import httpx
import psutil

from benchmarks.engine.study import STUDY, Place

START_SECONDS = 60
OURS, PLAIN = "ours", "optuna-dashboard"


@dataclass(frozen=True)
class Served:
    """A dashboard that answers."""

    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the CPU time of every thread until now."""
        taken = self.process.cpu_times()
        return float(taken.user + taken.system)

    def memory_mb(self) -> float:
        """Return the memory that it has now."""
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def our_dashboard(place: Place) -> Iterator[Served]:
    """Yield `search dashboard` on a database."""
    command = [sys.executable, "-m", "search.cli", "dashboard", "--port", "0"]
    given = {"SEARCH_HOME": str(place.home), "SEARCH_DATABASE_URL": place.url}
    with _started(command, given) as process:
        assert process.stdout is not None
        yield Served(process.stdout.readline().split()[-1], psutil.Process(process.pid))


@contextmanager
def plain_dashboard(place: Place) -> Iterator[Served]:
    """Yield optuna-dashboard alone on the same database."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    start = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, place.url, "--port", str(port), "--quiet"]
    with _started(command, {}) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/dashboard")
        yield Served(url, psutil.Process(process.pid))


def our_page(served: Served) -> str:
    """Return the address of the study's page."""
    return f"{served.url}/s/{STUDY.name}"


class Stream:
    """A viewer of the study's page: its events, and the bytes that came over the wire.

    events: of each event, when it came, its bytes, and its text.
    """

    def __init__(self, served: Served) -> None:
        self.events: list[tuple[float, int, str]] = []
        self._client = httpx.Client(timeout=None)
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(our_page(served),), daemon=True)
        self._is_open = True
        self._thread.start()

    def close(self) -> None:
        """Leave the page; returns once the thread has noticed."""
        self._is_open = False
        self._thread.join()
        self._client.close()

    def next_panels(self, after: float) -> tuple[float, int]:
        """Wait for the first changed panels that came after a moment; return moment and bytes."""
        with self._news:
            while True:
                for at, size, text in self.events:
                    if at > after and text.startswith("event: panels"):
                        return at, size
                if not self._thread.is_alive():
                    raise RuntimeError("the page's stream has ended")
                self._news.wait(1.0)

    def _read(self, page: str) -> None:
        version = self._client.get(f"{page}/panels").json()["version"]
        asked = {"params": {"since": version}, "headers": {"Accept-Encoding": "gzip"}}
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        with self._client.stream("GET", f"{page}/events", **asked) as answer:  # type: ignore[arg-type]
            for packed in answer.iter_raw():
                with self._news:
                    text = unpacker.decompress(packed).decode(errors="replace")
                    self.events.append((time.monotonic(), len(packed), text))
                    self._news.notify_all()
                if not self._is_open:
                    return


@contextmanager
def viewers(served: Served, count: int) -> Iterator[list[Stream]]:
    """Yield that many viewers of the study's page."""
    streams = [Stream(served) for _ in range(count)]
    try:
        yield streams
    finally:
        for stream in streams:
            stream.close()


@contextmanager
def _started(command: list[str], given: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    quiet: IO[str] | int = subprocess.DEVNULL
    with subprocess.Popen(
        command, env=os.environ | given, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with suppress(httpx.TransportError):
            httpx.get(url)
            return
        if time.monotonic() > until:
            raise RuntimeError(f"nothing answers at {url}")
        time.sleep(0.1)
