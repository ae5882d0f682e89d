"""The dashboard takes a free port, ends when it is asked to, and rides out a lost database."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from sqlalchemy import Connection, create_engine, text

from dashboards.door.port import PORTS, PortError, address, listen
from storage.locks import wait_until
from storage.postgres import server

Dashboard: TypeAlias = "tuple[subprocess.Popen[str], httpx.Client]"

PATIENCE_SECONDS = 60  # on a busy machine
STUDY = "/api/studies/1"
ON_THE_DATABASE = ("/api/studies", STUDY, "/csv/1", "/artifacts/1/1/ab")


def test_the_next_free_port_is_taken_and_an_explicit_one_refused() -> None:
    with listen() as first, listen() as second:
        port = first.getsockname()[1]

        assert PORTS[0] <= port < second.getsockname()[1]
        assert address(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(PortError, match=f"port {port} is in use; choose another one"):
            listen(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_refused_with_those_that_can(port: int) -> None:
    with pytest.raises(PortError, match="choose one from 1024 to 65535"):
        listen(port)


def test_a_machine_without_loopback_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.door.port.LOOPBACK", "192.0.2.1")  # of nobody
    for wanted in (None, 8080):
        with pytest.raises(PortError, match=r"this machine has no address 192.0.2.1; bring it up"):
            listen(wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "page"),  # optuna-dashboard's pages have threads of their own; it loads for 1.5 s
    [(signal.SIGTERM, STUDY), (signal.SIGINT, "/s/toy"), (signal.SIGHUP, "/s/toy")],
)
def test_a_signal_ends_it_whatever_its_visitors_and_the_database_do(
    dashboard: Dashboard, database_url: str, signum: int, page: str
) -> None:
    process, client = dashboard
    client.get("/studies.json")  # its connection stays open, idle
    with (
        locked_trials(database_url) as database,
        visit(client, "/dashboard/static/bundle.js"),  # 6 MB that nobody reads
        visit(client, page),  # hangs in the database
    ):
        assert wait_until(lambda: is_waited_for(database), PATIENCE_SECONDS)

        process.send_signal(signum)

        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.slow
def test_while_the_database_is_away_it_says_so_and_comes_back_by_itself(
    start_dashboard: Callable[[Path, str], Dashboard], home: Path
) -> None:
    try:
        _, client = start_dashboard(home, "")
        assert client.get("/api/studies").json() == {"study_summaries": []}

        server.stop(home)
        answers = [client.get(page) for page in ON_THE_DATABASE]
        assert {answer.status_code for answer in answers} == {503}
        assert all("database is away" in answer.json()["reason"] for answer in answers)
        assert client.get("/dashboard").status_code == 200

        server.start(home)
        assert client.get("/api/studies").json() == {"study_summaries": []}
    finally:
        server.remove(home)


@pytest.mark.slow
def test_its_files_are_served_to_a_program_that_names_no_encoding(client: httpx.Client) -> None:
    del client.headers["Accept-Encoding"]
    assert len(client.get("/dashboard/static/bundle.js").content) > 6_000_000


@contextmanager
def locked_trials(database_url: str) -> Iterator[Connection]:
    """Hold a lock that makes every reader of Optuna's trials wait without end."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE public.trials IN ACCESS EXCLUSIVE MODE"))
        yield connection
    engine.dispose()


def is_waited_for(database: Connection) -> bool:
    """Say whether somebody waits for a lock."""
    return bool(database.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def visit(client: httpx.Client, page: str) -> socket.socket:
    """Ask for a page and never read the answer."""
    visitor = socket.create_connection((client.base_url.host, client.base_url.port))
    host = client.base_url.netloc.decode()
    headers = f"Host: {host}\r\nAccept-Encoding: identity\r\n"
    visitor.sendall(f"GET {page} HTTP/1.1\r\n{headers}\r\n".encode())
    return visitor
