"""A socket between a client and its Postgres that counts round trips and can make each one slow."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url

QUERY = b"Q"  # the frame of a simple query, the only kind that psycopg2 sends; one round trip each
AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


class Proxy:
    """The counts of all connections through one socket.

    trips: round trips.
    statements: those of them that read or write, without the frames of transactions.
    delay_seconds: waited before each query is passed on.
    """

    def __init__(self, server: Path) -> None:
        self.trips = self.statements = 0
        self.delay_seconds = 0.0
        self._server = server

    def serve(self, path: Path) -> None:
        """Accept connections on a Unix socket, in threads that end with the process."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                for pump in (self._send, self._answer):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        """Pass the client's frames on, counted."""
        with client, server, suppress(OSError, struct.error), client.makefile("rb") as frames:
            (length,) = struct.unpack("!i", start := frames.read(4))
            server.sendall(start + frames.read(length - 4))  # the first frame has no kind
            while kind := frames.read(1):
                (length,) = struct.unpack("!i", size := frames.read(4))
                body = frames.read(length - 4)
                if kind == QUERY:
                    self._count(body)
                server.sendall(kind + size + body)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)

    def _count(self, body: bytes) -> None:
        time.sleep(self.delay_seconds)
        self.trips += 1
        self.statements += not body.decode("utf-8", "replace").lstrip().startswith(AROUND)


@contextmanager
def proxied(url: str, folder: Path) -> Iterator[tuple[str, Proxy]]:
    """Yield a URL that leads to the same database through a proxy, and the proxy."""
    real = make_url(url)
    port = real.query.get("port", "5432")
    name = f".s.PGSQL.{port}"
    proxy = Proxy(Path(str(real.query["host"])) / name)
    proxy.serve(folder / name)
    yield real.update_query_dict({"host": str(folder)}).render_as_string(False), proxy
