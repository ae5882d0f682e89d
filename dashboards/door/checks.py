"""The checks of a request that need no knowledge of its sender."""

import re
from collections.abc import Set
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import Scope

READING = ("GET", "HEAD")
LOGIN, LOGOUT = "/login", "/logout"
# The only paths that take a POST; no segment of an action may be `.` or `..`.
ACTIONS = re.compile(r"/s/[^/]+/actions(/(?!\.\.?(/|\Z))[^/]+)+")
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
# A second line of these would let two programs read two requests.
SINGLE = (
    "authorization",
    "content-length",
    "content-type",
    "host",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "transfer-encoding",
    "x-forwarded-proto",
)
CLOSE = {"Connection": "close"}  # nothing that follows may be read as a request
ONLY_READS = "this dashboard only reads; change studies with the `search` command"


@dataclass(frozen=True)
class Refusal:
    """The reason why a request is refused, with the status and headers of the answer."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


def is_action(path: str) -> bool:
    """Say whether a POST to this path changes a study."""
    return ACTIONS.fullmatch(path) is not None


def fault(scope: Scope, names: Set[str]) -> Refusal | None:
    """Return the reason to refuse a request, whoever sent it; None for a sound one.

    names: the host names under which the dashboard answers.
    """
    headers = Headers(scope=scope)
    return (
        _repeated(headers)
        or _foreign_host(headers, scope, names)
        or _unprintable(scope)
        or _forbidden_method(scope)
        or _foreign_page(headers, scope)
    )


def own_origin(scope: Scope) -> str:
    """Return the origin of our own pages as this request's browser names it."""
    return f"{scope['scheme']}://{Headers(scope=scope).get('host')}"


def _repeated(headers: Headers) -> Refusal | None:
    for name in SINGLE:
        if len(headers.getlist(name)) > 1:
            return Refusal(400, f"a request has one header {name}; send it once", CLOSE)
    if "content-length" in headers and "transfer-encoding" in headers:
        return Refusal(400, "a request has one length; send Content-Length alone", CLOSE)
    return None


def _foreign_host(headers: Headers, scope: Scope, names: Set[str]) -> Refusal | None:
    """Refuse a host name that is not ours: a foreign one that leads here is DNS rebinding."""
    found = HOST.fullmatch(headers.get("host", "").lower())
    if found and found[1] in names | {_arrival(scope)}:
        return None
    name = found[1] if found else "NAME"
    reason = f"this dashboard does not answer under that name; start it with --allow-host {name}"
    return Refusal(400, reason, CLOSE)


def _arrival(scope: Scope) -> str:
    """Return the address at which the connection arrived, as a browser writes it."""
    host = str(scope["server"][0]).removeprefix("::ffff:")
    return f"[{host}]" if ":" in host else host


def _unprintable(scope: Scope) -> Refusal | None:
    """Refuse a NUL, which Postgres does not take, and line ends, which would forge a log."""
    if scope["path"].isprintable():
        return None
    return Refusal(400, "this path has characters that cannot be printed; follow a link of a page")


def _forbidden_method(scope: Scope) -> Refusal | None:
    path, method = scope["path"], scope["method"]
    if method in READING or (method == "POST" and (path in (LOGIN, LOGOUT) or is_action(path))):
        return None
    return Refusal(405, ONLY_READS, {"Allow": ", ".join(READING)})


def _foreign_page(headers: Headers, scope: Scope) -> Refusal | None:
    """Refuse what another page makes a browser send, but for a link to a page of ours."""
    own, origin = own_origin(scope), headers.get("origin")
    site = headers.get("sec-fetch-site", "same-origin")
    if scope["method"] in READING:
        is_ours = site in ("same-origin", "none") or follows_link(scope)
        is_ours = is_ours and origin in (None, own)
    else:
        is_ours = site == "same-origin" and origin == own
    if is_ours:
        return None
    return Refusal(403, f"other pages may not read this one or write to it; open {own} itself")


def follows_link(scope: Scope) -> bool:
    """Say whether a browser comes by a link, to show the answer in a window of its own."""
    headers = Headers(scope=scope)
    where = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return scope["method"] == "GET" and where == ("navigate", "document")
