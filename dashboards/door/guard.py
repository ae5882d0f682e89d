"""The guard of every page: it refuses strangers and foreign pages, and secures every answer.

optuna-dashboard has no such protection: any web page could delete a study through it, and an HTML
file that a trial kept would run scripts with the rights of its pages.
"""

from collections.abc import Set

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.door.checks import Refusal, fault, is_action
from dashboards.door.entrance import Entrance
from dashboards.door.gates import Gate, LocalGate, TokenGate, refused
from dashboards.door.policies import secure
from dashboards.door.sessions import Sessions, read_secret
from dashboards.door.visitors import Role

ONLY_WRITERS = Refusal(403, "you may only read here; ask for the writer's token to change studies")


class Guard:
    """Refuse requests before the application sees them, and secure every answer.

    The application finds in `request.state`: `role`, a `Role`; `visitor`, his name for the log;
    `session` and `sessions`, which `dashboards.door.confirmations` reads.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance, names: Set[str]) -> None:
        """Guard an application.

        entrance: who is let in.
        names: the host names under which the dashboard answers.
        """
        self._app, self._names, self._proxy = app, names, entrance.proxy
        self._sessions = Sessions(read_secret(entrance.home))
        self._gate: Gate = LocalGate()
        if entrance.tokens:
            self._gate = TokenGate(entrance.tokens, self._sessions, bool(entrance.proxy))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), scope["path"])
            await send(message)

        answer = await self._answer(Request(scope, receive))
        await (answer or self._app)(scope, receive, send_secured)

    async def _answer(self, request: Request) -> Response | None:
        """Return the answer to a request that goes no further, None for one that does."""
        scope = request.scope
        if refusal := self._past_proxy(request) or fault(scope, self._names):
            return refused(request, refusal)
        visitor = await self._gate.admit(request)
        if isinstance(visitor, Response):
            return visitor
        if is_action(scope["path"]) and request.method == "POST" and visitor.role != Role.WRITER:
            return refused(request, ONLY_WRITERS)
        request.state.peer.admitted = True
        scope["state"] |= {
            "role": visitor.role,
            "visitor": visitor.name,
            "session": visitor.session,
            "sessions": self._sessions,
        }
        return None

    def _past_proxy(self, request: Request) -> Refusal | None:
        """Refuse what has not come through the proxy, if there is one, or not encrypted to it."""
        if self._proxy and request.state.peer.host != self._proxy:
            return Refusal(403, "this dashboard answers its proxy only; open the proxy's address")
        if self._proxy and request.scope["scheme"] != "https":
            reason = "the proxy does not say that it encrypts; let it set X-Forwarded-Proto: https"
            return Refusal(403, reason)
        return None
