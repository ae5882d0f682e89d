"""An S3 endpoint on a bad day: it is busy, late, breaks off in a file, or is gone for seconds."""

import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

REQUEST = re.compile(rb"(GET|PUT|POST|DELETE|HEAD) ")
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
REFUSAL = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BUSY), BUSY)
)
FAULTS = {"busy": 0.12, "broken": 0.08, "late": 0.08}  # how often a request meets each
LATE_SECONDS = 0.3
PIECE = 1 << 16


@dataclass
class UnsteadyS3:
    """A proxy before an S3 server.

    port: where it listens; behind: the port of the server.
    met: how many requests met each fault; `served` counts all that came.
    """

    port: int
    behind: int
    met: Counter[str] = field(default_factory=Counter)
    _draws: random.Random = field(default_factory=lambda: random.Random(17))
    _open: list[socket.socket] = field(default_factory=list)
    _listener: socket.socket | None = None

    def come(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def go(self) -> None:
        """Refuse connections, and cut those that are open."""
        self.met["away"] += 1
        if self._listener:
            with suppress(OSError):  # wakes the thread that waits for a connection
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for each in self._open:
            _cut(each)
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.behind)) as s3:
            self._open += [client, s3]
            breaking = threading.Event()
            answers = [s3, client, breaking]
            threading.Thread(target=_pass_answers, args=answers, daemon=True).start()
            while piece := client.recv(PIECE):
                if REQUEST.match(piece):
                    match self._fault():
                        case "busy":
                            client.sendall(REFUSAL)
                            return
                        case "broken":
                            breaking.set()
                        case "late":
                            time.sleep(LATE_SECONDS)
                s3.sendall(piece)

    def _fault(self) -> str:
        self.met["served"] += 1
        (fault,) = self._draws.choices([*FAULTS, ""], [*FAULTS.values(), 1 - sum(FAULTS.values())])
        self.met[fault] += 1
        return fault


@contextmanager
def unsteady(behind: int) -> Iterator[UnsteadyS3]:
    """Yield a proxy that listens before the S3 server at a port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ours = UnsteadyS3(port, behind)
    ours.come()
    try:
        yield ours
    finally:
        ours.go()


def _pass_answers(s3: socket.socket, client: socket.socket, breaking: threading.Event) -> None:
    """Pass on what the server answers, and half of it where it is to break off."""
    with suppress(OSError):
        while piece := s3.recv(PIECE):
            if breaking.is_set() and not piece.startswith(b"HTTP/1.1 100"):
                client.sendall(piece[: max(1, len(piece) // 2)])
                break
            client.sendall(piece)
    for each in (s3, client):
        _cut(each)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
