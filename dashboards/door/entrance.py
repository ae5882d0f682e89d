"""The ways to the dashboard: who is let in, under which names, and over which connection."""

import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

from dashboards.door.tokens import Tokens
from spaces.errors import UserError

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class EntranceError(UserError):
    """A dashboard that would be open to others, or closed to everybody."""


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and of its key."""

    file: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """The ways in; without any argument they are those of our own user on this machine.

    home: the folder that keeps the secret which signs cookies; None for a secret of the process.
    tokens: asked of everybody; None lets in our own user's connections on this machine.
    names: further host names under which the dashboard answers.
    certificate: for TLS.
    proxy: the address of the proxy that does TLS; no other connection is answered.
    """

    home: Path | None = None
    tokens: Tokens | None = None
    names: frozenset[str] = field(default_factory=frozenset)
    certificate: Certificate | None = None
    proxy: str | None = None


def check_entrance(entrance: Entrance, listener: socket.socket) -> None:
    """Refuse to serve on a socket that others reach without tokens and TLS. Raises EntranceError.

    listener: a socket from `dashboards.door.port.listen`.
    """
    host = listener.getsockname()[0]
    if entrance.proxy and not entrance.tokens:
        raise EntranceError("behind a proxy nobody's user is known", TOKEN_FIX)
    if entrance.certificate:
        _check_certificate(entrance.certificate)
    if ip_address(host).is_loopback:
        return
    if not entrance.tokens:
        raise EntranceError(f"on {host} other machines could read every study", TOKEN_FIX)
    if not (entrance.certificate or entrance.proxy):
        raise EntranceError(
            f"on {host} the token would cross the network in clear",
            "add --certfile FILE --keyfile FILE, or --behind-proxy where a proxy does TLS",
        )


TOKEN_FIX = "add --token-file FILE; `search dashboard --new-token-file FILE` writes one"


def own_names(entrance: Entrance, listener: socket.socket) -> frozenset[str]:
    """Return the host names under which the dashboard answers, in small letters."""
    names = OWN_NAMES | {name.lower() for name in entrance.names}
    if not ip_address(listener.getsockname()[0]).is_loopback:
        names |= {socket.gethostname().lower()}
    return names


def _check_certificate(certificate: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate.file, certificate.key, _no_password)
    except ssl.SSLError as error:
        raise EntranceError(
            f"{certificate.file} and {certificate.key} are not a certificate and its key ({error})",
            "give both as PEM files",
        ) from None
    except OSError as error:
        raise EntranceError(
            f"the certificate {certificate.file} or its key {certificate.key}: {error.strerror}",
            "give two files that you can read",
        ) from None


def _no_password() -> NoReturn:
    """Refuse a key with a passphrase; OpenSSL would wait for it at the terminal."""
    raise EntranceError(
        "the key of the certificate has a passphrase", "write it without: `openssl pkey -in KEY`"
    )
