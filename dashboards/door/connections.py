"""The connections of the server: whose they are, how long one may stall, how many there are."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from ipaddress import ip_address

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboards.door.peers import Peer

ASKING_SECONDS = 10.0  # for a request to arrive whole
READING_SECONDS = 30.0  # for a visitor to take the next part of an answer
MOST = 400  # a process may open 1,024 files unless somebody has allowed more
MOST_OF_ONE = 100  # connections of one address of another machine


class Limit:
    """Ends something some seconds after its start, unless it is stopped before."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, end: Callable[[], None]
    ) -> None:
        self._loop, self._seconds, self._end = loop, seconds, end
        self._timer: asyncio.TimerHandle | None = None
        self.since: float | None = None  # the moment of the start, while the seconds run

    def start(self) -> None:
        """Let the seconds run; those that run already go on."""
        if self._timer is None:
            self.since = self._loop.time()
            self._timer = self._loop.call_later(self._seconds, self._end)

    def stop(self) -> None:
        """Forget the seconds that have run."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self.since = None


class Connection(H11Protocol):
    """uvicorn's connection, cut off when its visitor stalls or others need its place.

    Each of its requests has `peer` in its state.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection that the server has accepted."""
        super().connection_made(transport)
        far, near = (transport.get_extra_info(end)[:2] for end in ("peername", "sockname"))
        self.peer = Peer(far, near)
        self.app_state = {**self.app_state, "peer": self.peer}
        self._began = self.loop.time()
        self._asking = Limit(self.loop, ASKING_SECONDS, self._cut)
        self._reading = Limit(self.loop, READING_SECONDS, self._cut)
        self._asking.start()
        # The kernel cuts off a machine that vanished, and who does not read an answer's last part.
        opened: socket.socket = transport.get_extra_info("socket")
        milliseconds = int(READING_SECONDS * 1000)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """End with a connection that has ended."""
        self._asking.stop()
        self._reading.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; the time for the whole of it began with its first part."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._asking.start()
        else:
            self._asking.stop()

    def pause_writing(self) -> None:
        """Wait for a visitor who does not read as fast as we write, but not without end."""
        super().pause_writing()
        self._reading.start()

    def resume_writing(self) -> None:
        """Go on with a visitor who reads again."""
        self._reading.stop()
        super().resume_writing()

    def claim(self) -> tuple[int, float]:
        """Return a key that sorts connections by who gives way first.

        First strangers, the oldest before others; then those whose visitor does not read, the
        longest before others; then all who have been let in.
        """
        if not self.peer.admitted:
            return 0, self._began
        return (1, self._reading.since) if self._reading.since else (2, self._began)

    def _cut(self) -> None:
        """End the connection now, and let the kernel forget what was not read of it."""
        opened: socket.socket = self.transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _make_room(self) -> None:
        """Cut off the connection that matters least where there are too many.

        So nobody whom the guard has let in loses his place to strangers, however many they are.
        """
        others = [each for each in self.connections if isinstance(each, Connection)]
        others = [each for each in others if each is not self and not each.transport.is_closing()]
        self._replace_one(others, MOST)
        if not ip_address(self.peer.host).is_loopback:  # all of this machine share one address
            same = [each for each in others if each.peer.host == self.peer.host]
            self._replace_one(same, MOST_OF_ONE)

    def _replace_one(self, others: Sequence["Connection"], most: int) -> None:
        if len(others) < most:
            return
        least = min(others, key=Connection.claim)
        (least if least.claim()[0] < 2 else self)._cut()
