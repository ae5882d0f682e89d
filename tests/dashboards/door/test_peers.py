"""The user of a connection is read from the kernel's tables."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from dashboards.door.peers import owner_of

NOBODY = 65534
CONNECT = """
import os, socket, sys
os.setgid({uid}); os.setuid({uid})
connection = socket.socket()
connection.connect(("127.0.0.1", int(sys.argv[1])))
print("connected", flush=True)
sys.stdin.read()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@contextmanager
def connected(family: int, listening: str, asked: str) -> Iterator[tuple[socket.socket, ...]]:
    """A client and the server's end of its connection."""
    with ExitStack() as ending:
        listener = ending.enter_context(socket.socket(socket.AF_INET6 if ":" in listening else 2))
        listener.bind((listening, 0))
        listener.listen()
        client = ending.enter_context(socket.socket(family))
        client.connect((asked, listener.getsockname()[1]))
        yield client, ending.enter_context(listener.accept()[0])


@pytest.mark.parametrize(
    ("family", "listening", "asked"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "127.0.0.1", "::ffff:127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
    ],
    ids=["IPv4", "IPv4 through an IPv6 socket", "IPv6"],
)
def test_a_connection_of_our_own_is_ours(family: int, listening: str, asked: str) -> None:
    with connected(family, listening, asked) as (_, served):
        assert owner_of(served.getpeername()[:2], served.getsockname()[:2]) == os.geteuid()


def test_a_half_closed_connection_is_still_its_users_and_a_closed_one_nobodys() -> None:
    with connected(socket.AF_INET, "127.0.0.1", "127.0.0.1") as (client, served):
        far, near = served.getpeername(), served.getsockname()
        client.shutdown(socket.SHUT_WR)
        assert owner_of(far, near) == os.geteuid()

        client.close()
        assert owner_of(far, near) is None


def test_the_end_of_another_machine_is_unknown() -> None:
    assert owner_of(("192.0.2.1", 4711), ("192.0.2.2", 8080)) is None


@as_root
def test_a_connection_of_another_user_is_his() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        words = [sys.executable, "-c", CONNECT.format(uid=NOBODY), str(listener.getsockname()[1])]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            with listener.accept()[0] as served:
                assert owner_of(served.getpeername(), served.getsockname()) == NOBODY
            other.communicate()
