"""The port of the dashboard, which only this machine can reach."""

import errno
import socket

from spaces.errors import UserError

LOOPBACK = "127.0.0.1"
PORTS = range(8080, 8180)


class PortError(UserError):
    """The dashboard cannot have this port."""


def listen(port: int | None = None) -> socket.socket:
    """Open a listening socket on that port, or on the next free one from 8080 on.

    Connections wait in it until a server accepts them. Raises PortError.
    """
    refused = OSError("there is no such port")
    for candidate in PORTS if port is None else [port] if 0 <= port < 65536 else []:
        try:
            return socket.create_server((LOOPBACK, candidate))
        except OSError as error:
            refused = error
    raise _port_error(port, refused) from refused


def inherited(fd: int) -> socket.socket:
    """Return the listening socket that this process inherited as file descriptor `fd`."""
    listener = socket.socket(fileno=fd)
    listener.set_inheritable(False)
    return listener


def address(listener: socket.socket) -> str:
    """Return the address to type into a browser."""
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def _port_error(port: int | None, refused: OSError) -> PortError:
    if refused.errno == errno.EADDRNOTAVAIL:
        found = f"this machine has no address {LOOPBACK}"
        return PortError(
            found, "bring it up with 'ip link set lo up', or run without it (--no-dashboard)"
        )
    if port is None:
        found = f"ports {PORTS[0]} to {PORTS[-1]} are all in use"
        return PortError(found, "choose another one with --port")
    if refused.errno == errno.EADDRINUSE:
        fix = "choose another one, or leave --port out for a free one"
        return PortError(f"port {port} is in use", fix)
    return PortError(f"port {port} cannot be used ({refused})", "choose one from 1024 to 65535")
