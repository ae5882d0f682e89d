"""Visitors who do not read, or do not finish their request, keep nobody out."""

import os
import socket
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fcntl import ioctl
from termios import FIONREAD

import httpx
import psutil
import pytest

from dashboards.door import connections
from storage.locks import wait_until
from tests.dashboards.door.attackers import NOBODY, VIEWER, port_of
from tests.dashboards.door.conftest import TOKENS

Served = Callable[..., str]

PATIENCE_SECONDS = 30
# Opens connections as another user and holds them.
HOLD = """
import os, socket, sys
uid, port, number = map(int, sys.argv[1:])
os.setgroups([]); os.setgid(uid); os.setuid(uid)
held = []
for _ in range(number):
    held.append(socket.socket())
    held[-1].connect(("127.0.0.1", port))
print("holding", flush=True)
sys.stdin.read()
"""


@contextmanager
def visitors(address: str, number: int, message: str) -> Iterator[list[socket.socket]]:
    """Sockets that send a message and never read."""
    with ExitStack() as ending:
        place = ("127.0.0.1", port_of(address))
        opened = [ending.enter_context(socket.create_connection(place)) for _ in range(number)]
        for visitor in opened:
            visitor.sendall(message.encode())
        yield opened


def ask_for(path: str, *headers: str) -> str:
    """The text of a request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""])


def is_full(opened: list[socket.socket]) -> bool:
    """Whether none of the sockets has room for more that it would have to read."""
    waiting = array("i", [0])
    sizes = []
    for each in opened:
        ioctl(each, FIONREAD, waiting)
        sizes.append(waiting[0])
    return min(sizes) > 100_000


def is_cut(visitor: socket.socket) -> bool:
    """Whether the server has cut a connection off; nothing is read."""
    state = visitor.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != 1  # ESTABLISHED


@pytest.mark.parametrize("number", [10, 100])
def test_readers_that_never_read_hold_up_no_other_one(served: Served, number: int) -> None:
    address = served()
    process = psutil.Process()
    with visitors(address, number, ask_for("/flood")):
        before = process.memory_info().rss
        for _ in range(20):
            assert httpx.get(address, timeout=PATIENCE_SECONDS).status_code == 200
        assert process.memory_info().rss - before < 100_000_000  # a second of /flood is more


def test_who_does_not_read_is_cut_off_and_who_reads_slowly_is_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READING_SECONDS", 1.0)
    address = served()
    with visitors(address, 3, ask_for("/flood")) as (slow, *dumb):

        def all_are_cut() -> bool:
            assert slow.recv(1_000_000)
            return all(map(is_cut, dumb))

        assert wait_until(all_are_cut, PATIENCE_SECONDS)
        assert not is_cut(slow)


@pytest.mark.parametrize(
    "part",
    ["", "GET / HT", ask_for("/")[:-2], ask_for("/s/toy/actions/stop", "Content-Length: 9")],
    ids=["nothing", "a word", "headers", "no body"],
)
def test_a_request_that_does_not_end_is_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(connections, "ASKING_SECONDS", 0.5)
    address = served()
    message = part.replace("GET", "POST") if "Length" in part else part
    with visitors(address, 2, message) as opened:
        assert wait_until(lambda: all(map(is_cut, opened)), PATIENCE_SECONDS)


def test_a_second_request_that_does_not_end_is_cut_off_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ASKING_SECONDS", 0.5)
    with visitors(served(), 1, ask_for("/")) as (visitor,):
        assert visitor.recv(65_536).startswith(b"HTTP/1.1 200")
        visitor.sendall(b"GET / HT")
        assert wait_until(lambda: is_cut(visitor), PATIENCE_SECONDS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_takes_no_place_of_ours_however_many_connections_he_opens(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 20)
    address = served()
    with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as ours:
        assert ours.get("/").status_code == 200
        words = [sys.executable, "-c", HOLD, str(NOBODY), str(port_of(address)), "200"]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout
            assert other.stdout.readline() == "holding\n"
            assert ours.get("/").status_code == 200
            assert httpx.get(address, timeout=PATIENCE_SECONDS).status_code == 200
            other.communicate()


def test_a_stalled_reader_gives_way_to_a_new_visitor_and_one_that_reads_does_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 5)
    address, known = served(tokens=TOKENS), f"Authorization: Bearer {VIEWER}"
    with (
        visitors(address, 3, ask_for("/flood", known)) as stalled,
        visitors(address, 1, ask_for("/", known)) as (reader,),
    ):
        assert wait_until(lambda: is_full(stalled), PATIENCE_SECONDS)
        assert reader.recv(65_536).startswith(b"HTTP/1.1 200")
        reader.sendall(ask_for("/", known).encode())  # so that it is not idle for long
        assert reader.recv(65_536).startswith(b"HTTP/1.1 200")
        with visitors(address, 1, ask_for("/", known)) as (first,):
            assert first.recv(65_536).startswith(b"HTTP/1.1 200")  # the fifth place was free
            with visitors(address, 1, ask_for("/", known)) as (second,):
                assert second.recv(65_536).startswith(b"HTTP/1.1 200")
                assert sum(map(is_cut, stalled)) == 1
                assert not is_cut(reader)
