"""The address and port of the dashboard; without a host only this machine can reach them."""

import errno
import socket
from ipaddress import ip_address

from spaces.errors import UserError

LOOPBACK = "127.0.0.1"
PORTS = range(8080, 8180)


class PortError(UserError):
    """The dashboard cannot have this port."""


def listen(port: int | None = None, host: str | None = None) -> socket.socket:
    """Open a listening socket on that port, or on the next free one from 8080 on.

    host: an address of this machine or a name of one; None for 127.0.0.1.
    Connections wait in the socket until a server accepts them. Raises PortError.
    """
    own, family = _resolved(host or LOOPBACK)
    refused = OSError("there is no such port")
    for candidate in PORTS if port is None else [port] if 0 <= port < 65536 else []:
        try:
            return socket.create_server(
                (own, candidate), family=family, dualstack_ipv6=_is_every(own, family)
            )
        except OSError as error:
            refused = error
    raise _port_error(port, own, refused) from refused


def inherited(fd: int) -> socket.socket:
    """Return the listening socket that this process inherited as file descriptor `fd`."""
    listener = socket.socket(fileno=fd)
    listener.set_inheritable(False)
    return listener


def address(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address to type into a browser."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:  # it listens on every address of this machine
        host = socket.gethostname().lower()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _resolved(host: str) -> tuple[str, socket.AddressFamily]:
    try:
        family, *_, place = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise PortError(
            f"{host!r} is no address of this machine", "give --host one, such as 0.0.0.0 for all"
        ) from None
    return str(place[0]), family


def _is_every(host: str, family: socket.AddressFamily) -> bool:
    """Say whether a socket on `::` can take IPv4 connections too."""
    is_every = family == socket.AF_INET6 and ip_address(host).is_unspecified
    return is_every and socket.has_dualstack_ipv6()


def _port_error(port: int | None, host: str, refused: OSError) -> PortError:
    if refused.errno == errno.EADDRNOTAVAIL and host != LOOPBACK:
        found = f"this machine has no address {host}"
        return PortError(found, "give --host one that `ip address` shows, or 0.0.0.0 for all")
    if refused.errno == errno.EADDRNOTAVAIL:
        found = f"this machine has no address {host}"
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
