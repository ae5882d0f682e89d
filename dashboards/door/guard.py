"""The guard of every page: it refuses other users, writes and foreign origins.

optuna-dashboard has no such protection: any web page could delete a study through it, and an HTML
file that a trial kept would run scripts with the rights of its pages.
"""

import os

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.door.peers import Peer
from dashboards.door.port import LOOPBACK
from dashboards.door.threads import CuttableThreads
from dashboards.door.visitors import local_visitor, user_name

READING = ("GET", "HEAD")
LOOKING = 2  # threads that look up who is at the other end
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "style-src": "'self' 'unsafe-inline'",
    "script-src": "'self' 'unsafe-eval'",  # plotly's parallel coordinates compile their shaders
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{rule} {source}" for rule, source in POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
ARTIFACT_SECURITY_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"
}


def behind_guard(app: ASGIApp) -> ASGIApp:
    """Return the application as it is served: nothing reaches it past the guard."""
    # A foreign host name that resolves to this machine is DNS rebinding.
    own = TrustedHostMiddleware(app, allowed_hosts=[LOOPBACK, "localhost"], www_redirect=False)
    return Guard(own)


class Guard:
    """Refuse requests of other users and origins and those that write, and secure every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._uid = os.geteuid()
        self._threads = CuttableThreads(LOOKING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a refusal is JSON that optuna-dashboard shows as an error."""
        refusal = None
        if scope["type"] == "http":
            refusal = _refusal(scope) or await self._stranger(scope)

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope["path"].startswith("/artifacts/"))
            await send(message)

        await (refusal or self._app)(scope, receive, send_secured)

    async def _stranger(self, scope: Scope) -> JSONResponse | None:
        """Refuse other users of this machine; for one who may come in, set role and name."""
        peer: Peer = scope["state"]["peer"]
        uid = await peer.uid(self._threads)
        if visitor := local_visitor(uid, self._uid):
            scope["state"] |= {"role": visitor.role, "visitor": visitor.name}
            return None
        return JSONResponse({"reason": _whose(uid, self._uid)}, 403)


def _refusal(scope: Scope) -> JSONResponse | None:
    if scope["method"] not in READING:
        reason = "this dashboard only reads; change studies with the `search` command"
        return JSONResponse({"reason": reason}, 405, {"Allow": ", ".join(READING)})
    headers = Headers(scope=scope)
    own_origin = f"{scope['scheme']}://{headers.get('host')}"
    if headers.get("origin", own_origin) != own_origin:
        return JSONResponse(
            {"reason": f"other pages may not read this one; open {own_origin} itself"}, 403
        )
    return None


def _whose(uid: int | None, own_uid: int) -> str:
    if uid is None:
        return "this machine does not name the user of your connection, so the page stays closed"
    owner = user_name(own_uid)
    return f"this dashboard is {owner}'s, and your connection is {user_name(uid)}'s; ask {owner}"


def _secure(headers: MutableHeaders, is_artifact: bool) -> None:
    headers.update(SECURITY_HEADERS)
    if not is_artifact:
        return
    headers.update(ARTIFACT_SECURITY_HEADERS)
    # optuna-dashboard opens artifacts to every web page.
    del headers["Access-Control-Allow-Origin"]
    if headers.get("content-type", "").startswith("text/"):  # a traceback opens in the browser
        headers["content-type"] = "text/plain; charset=utf-8"
    else:
        headers["content-disposition"] = "attachment"
