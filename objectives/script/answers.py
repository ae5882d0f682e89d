"""Answers to a script that waits after each report: go on, or end."""

import math
import os
import secrets
import socket
import struct
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Self

GO_ON, END, REFUSED = b"g", b"e", b"n"
# A helper says the first before it writes its report, the second once it waits for the answer. Any
# other byte tells that it makes progress.
REPORTING, REPORTED = b"w", b"r"
EXIT_SECONDS = 1.0  # a program closes its socket a moment before its end
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Answers:
    """A socket at which the helpers of a script wait; a context manager that closes it.

    name: its name, under which `search.script` finds it. It is no file, so that no folder's path
        can be too long for it.
    users: whose helpers get answers; None is root and this process's own user.
    """

    def __init__(self, users: Collection[int] | None = None) -> None:
        self._users = (0, os.getuid()) if users is None else users
        self.name = f"search-{secrets.token_hex(16)}"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(f"\0{self.name}")
        self._server.listen()
        self._server.setblocking(False)
        self._helpers: dict[socket.socket, bytes] = {}  # the last word of each about a report
        self._ending_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._server, *self._helpers):
            each.close()

    @property
    def sockets(self) -> list[socket.socket]:
        """The sockets that are readable once a helper says something."""
        return [self._server, *self._helpers]

    @property
    def is_awaited(self) -> bool:
        """Whether the script waits for an answer, or will in a moment."""
        return any(self._helpers.values())

    @property
    def is_ending(self) -> bool:
        """Whether a helper that was told to end may still be at it."""
        return time.monotonic() < self._ending_until

    def read(self) -> bool:
        """Read what the helpers say; return whether one has said anything."""
        self._accept()
        told = [self._read(helper) for helper in list(self._helpers)]
        return any(told)

    def give(self, answer: bytes) -> None:
        """Answer the helpers that wait; END also those that are about to."""
        for helper, word in self._helpers.items():
            if word == REPORTED or (word and answer == END):
                self._helpers[helper] = b""
                if answer == END:
                    self._ending_until = math.inf
                with suppress(OSError):  # it has ended
                    helper.send(answer)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                helper, _ = self._server.accept()
                helper.setblocking(False)
                if _user(helper) in self._users:
                    self._helpers[helper] = b""
                else:
                    with helper, suppress(OSError):
                        helper.send(REFUSED)

    def _read(self, helper: socket.socket) -> bool:
        try:
            said = helper.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            said = b""
        if not said:
            del self._helpers[helper]
            helper.close()
            self._ending_until = min(self._ending_until, time.monotonic() + EXIT_SECONDS)
        else:
            self._helpers[helper] = _last_word(said) or self._helpers[helper]
        return bool(said)


def _last_word(said: bytes) -> bytes:
    words = [word for word in (REPORTING, REPORTED) if word in said]
    return max(words, key=said.rindex, default=b"")


def _user(helper: socket.socket) -> int:
    credentials = helper.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(credentials)[1]
    return user
