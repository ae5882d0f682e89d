"""A network between a program and its database, which a test can cut."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url


class Network:
    """A way to a Postgres socket that can be cut, and mended."""

    def __init__(self, url: str, folder: Path) -> None:
        """Open a way to a database.

        folder: an empty one, for the socket at this end.
        """
        real = make_url(url)
        self._server = Path(str(real.query["host"])) / ".s.PGSQL.5432"
        self._address = folder / ".s.PGSQL.5432"
        self.url = real.update_query_dict({"host": str(folder)}).render_as_string(False)
        self._ends: list[socket.socket] = []
        self.mend()

    def mend(self) -> None:
        """Let connections through again."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._address))
        self._listener.listen()
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and let none through."""
        self._address.unlink(missing_ok=True)
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(str(self._server))
                self._ends += [here, there]
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)
