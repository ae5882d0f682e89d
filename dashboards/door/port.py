"""Where the dashboard can be reached: a port of this machine, and of nobody else's."""

import errno
import socket

from spaces.errors import UserError

LOOPBACK = "127.0.0.1"
PORTS = range(8080, 8180)


class PortError(UserError):
    """The dashboard cannot have this port; the message is one line with the fix."""


def listen(port: int | None = None) -> socket.socket:
    """Take that port, or the next free one from 8080 on, and give the socket that listens there.

    Connections wait in it until somebody serves them. Raises PortError.
    """
    refused = OSError("there is no such port")
    for candidate in PORTS if port is None else [port] if 0 <= port < 65536 else []:
        try:
            return socket.create_server((LOOPBACK, candidate))
        except OSError as error:
            refused = error
    raise PortError(_explained(port, refused)) from refused


def inherited(fd: int) -> socket.socket:
    """Give the listening socket that whoever started this process handed it."""
    listener = socket.socket(fileno=fd)
    listener.set_inheritable(False)
    return listener


def address(listener: socket.socket) -> str:
    """Give the address to type into a browser."""
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def _explained(port: int | None, refused: OSError) -> str:
    if port is None:
        return f"ports {PORTS[0]} to {PORTS[-1]} are all in use; choose another one with --port"
    if refused.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another one, or leave --port out for a free one"
    return f"port {port} cannot be used ({refused}); choose one from 1024 to 65535"
