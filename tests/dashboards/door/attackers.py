"""Programs that attack a dashboard, as bytes on a socket and as another user of the machine."""

import socket
import subprocess
import sys
from urllib.parse import urlsplit

import httpx

NOBODY = 65534
VIEWER, WRITER = "the-viewers-own-token", "the-writers-own-token"
# The socket is opened after the change of user: then it is that user's. A name is not resolved,
# for that would import from a Python that he may not read.
AS_ANOTHER_USER = """
import os, socket, sys
uid, port = int(sys.argv[1]), int(sys.argv[2])
os.setgroups([]); os.setgid(uid); os.setuid(uid)
connection = socket.socket()
connection.settimeout(30)
connection.connect(("127.0.0.1", port))
connection.sendall(sys.stdin.buffer.read())
while piece := connection.recv(65536):
    sys.stdout.buffer.write(piece)
"""


def port_of(address: str) -> int:
    """The port of an address such as http://127.0.0.1:8080."""
    port = urlsplit(address).port
    assert port
    return port


def request(path: str, method: str = "GET", *headers: str) -> bytes:
    """The bytes of a request that closes its connection."""
    lines = [f"{method} {path} HTTP/1.1", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


def sent(address: str, message: bytes) -> bytes:
    """The whole answer to a message."""
    with socket.create_connection(("127.0.0.1", port_of(address)), 30) as connection:
        connection.sendall(message)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def sent_by(uid: int, address: str, message: bytes) -> bytes:
    """The whole answer to a message that another user of this machine sends."""
    words = [sys.executable, "-c", AS_ANOTHER_USER, str(uid), str(port_of(address))]
    return subprocess.run(words, input=message, capture_output=True, timeout=60, check=True).stdout


def own(client: httpx.Client) -> dict[str, str]:
    """The headers of a browser that sends a form from our own page."""
    origin = str(client.base_url).rstrip("/")
    return {"Origin": origin, "Sec-Fetch-Site": "same-origin"}


def log_in(client: httpx.Client, token: str, goal: str = "/") -> httpx.Response:
    """Send the login form."""
    form = {"token": token, "next": goal}
    return client.post("/login", data=form, headers=own(client))
