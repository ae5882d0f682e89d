"""The two ways to be let in: as the user of this machine whose dashboard it is, or by a token."""

import logging
import os
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboards.door.checks import LOGIN, Refusal, follows_link
from dashboards.door.failures import Failures
from dashboards.door.login import PATHS, Login, again, cookie_name, to
from dashboards.door.peers import Peer
from dashboards.door.sessions import Sessions
from dashboards.door.threads import CuttableThreads
from dashboards.door.tokens import Tokens
from dashboards.door.visitors import Role, Visitor, user_name

ROOT = 0
LOOKING = 2  # threads that look up who is at the other end
TOKEN_NEEDED = "this dashboard asks for a token; send it as `Authorization: Bearer TOKEN`"

log = logging.getLogger(__name__)


class Gate(Protocol):
    """Decides about a request whose form is sound."""

    async def admit(self, request: Request) -> Visitor | Response:
        """Return the visitor, or the answer to one who does not come in with this request."""


class LocalGate:
    """Lets in the connections of our own user on this machine, and root to read."""

    def __init__(self) -> None:
        self._uid = os.geteuid()
        self._threads = CuttableThreads(LOOKING)

    async def admit(self, request: Request) -> Visitor | Response:
        """Return the user at the other end; he writes if he is ours."""
        peer: Peer = request.state.peer
        uid = await peer.uid(self._threads)
        if uid is None or uid not in (self._uid, ROOT):  # root can read every file anyhow
            return refused(request, Refusal(403, self._whose(uid)))
        role = Role.WRITER if uid == self._uid else Role.VIEWER
        return Visitor(role, user_name(uid), session=f"uid {uid}")

    def _whose(self, uid: int | None) -> str:
        owner = user_name(self._uid)
        if uid is None:
            found = "this machine does not say whose connection this is"
        else:
            found = f"this dashboard is {owner}'s, and your connection is {user_name(uid)}'s"
        return f"{found}; {owner} can let you in with `search dashboard --token-file FILE`"


class TokenGate:
    """Lets in who sends a token, or the cookie of a login with one."""

    def __init__(self, tokens: Tokens, sessions: Sessions, behind_proxy: bool) -> None:
        self._tokens, self._sessions = tokens, sessions
        self._failures = Failures()
        self._login = Login(tokens, sessions, self._failures)
        self._behind_proxy = behind_proxy
        self._threads = CuttableThreads(LOOKING)

    async def admit(self, request: Request) -> Visitor | Response:
        """Return the visitor of a token or a cookie, or the way to the login form."""
        address = await self._address(request)
        if request.scope["path"] in PATHS:
            return await self._login.answer(request, address)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind:
            return self._by_token(request, address, token.strip() if kind == "Bearer" else "")
        session = self._sessions.read(request.cookies.get(cookie_name(request), ""))
        if session is None or session.mark != self._tokens.mark(session.role):
            return _asked(request)
        return Visitor(session.role, f"{session.role} at {address}", session.key)

    def _by_token(self, request: Request, address: str, token: str) -> Visitor | Response:
        if seconds := self._failures.wait(address):
            reason = f"too many wrong tokens; try again in {seconds} s"
            return refused(request, Refusal(429, reason, {"Retry-After": str(seconds)}))
        role = self._tokens.role_of(token)
        if role is None:
            self._failures.add(address)
            log.warning("a wrong token from %s", address)
            return refused(request, Refusal(401, TOKEN_NEEDED, {"WWW-Authenticate": "Bearer"}))
        self._failures.forget(address)
        return Visitor(role, f"{role} at {address}", session=f"token {self._tokens.mark(role)}")

    async def _address(self, request: Request) -> str:
        """Return the sender's address, with its user on this machine: all share one address."""
        address = request.client.host if request.client else ""
        peer: Peer = request.state.peer
        if self._behind_proxy or not ip_address(peer.host).is_loopback:
            return address
        uid = await peer.uid(self._threads)
        return address if uid is None else f"{address} ({user_name(uid)})"


def refused(request: Request, refusal: Refusal) -> Response:
    """Return the answer to a request that is refused: one line, as JSON for programs."""
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{refusal.reason}\n", refusal.status, refusal.headers)
    return JSONResponse({"reason": refusal.reason}, refusal.status, refusal.headers)


def _asked(request: Request) -> Response:
    """Return the way to the login form to a person, and 401 to a program."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return refused(request, Refusal(401, TOKEN_NEEDED, {"WWW-Authenticate": "Bearer"}))
    goal = request.scope["raw_path"].decode("ascii")
    if query := request.scope["query_string"].decode("ascii"):
        goal = f"{goal}?{query}"
    from_elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if from_elsewhere and follows_link(request.scope):
        return again(goal)
    return to(f"{LOGIN}?next={quote(goal, safe='/')}")
