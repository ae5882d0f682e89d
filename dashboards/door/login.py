"""The pages of the door: the login form, the way out, and their stylesheet."""

import logging
import re
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.door.checks import LOGIN, LOGOUT
from dashboards.door.confirmations import read_form
from dashboards.door.failures import Failures
from dashboards.door.sessions import SECONDS, Sessions
from dashboards.door.tokens import Tokens

log = logging.getLogger(__name__)

STYLE = "/login.css"
PATHS = (LOGIN, LOGOUT, STYLE)
# Not `//host`, nor `/\host`, which browsers take for the same.
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
TEMPLATES = Environment(loader=PackageLoader("dashboards.door"), autoescape=True)


class Login:
    """The pages of the door for one set of tokens."""

    def __init__(self, tokens: Tokens, sessions: Sessions, failures: Failures) -> None:
        self._tokens, self._sessions, self._failures = tokens, sessions, failures

    async def answer(self, request: Request, address: str) -> Response:
        """Answer a request for one of PATHS.

        address: of the visitor, under which wrong tokens are counted.
        """
        path = request.scope["path"]
        if path == STYLE:
            return Response(
                files(__package__).joinpath("login.css").read_bytes(), media_type="text/css"
            )
        if request.method != "POST":
            goal = request.query_params.get("next", "/")
            return form(goal) if path == LOGIN else page("logout.html")
        return await (self._enter(request, address) if path == LOGIN else self._leave(request))

    async def _enter(self, request: Request, address: str) -> Response:
        try:
            fields = await read_form(request)
        except HTTPException as error:
            return form("/", error.detail, status=error.status_code)
        goal = fields.get("next", "/")
        if seconds := self._failures.wait(address):
            problem = f"Too many wrong tokens; try again in {seconds} s."
            return form(goal, problem, status=429, headers={"Retry-After": str(seconds)})
        role = self._tokens.role_of(fields.get("token", "").strip())
        if role is None:
            self._failures.add(address)
            log.warning("a wrong token from %s", address)
            return form(goal, "This token opens nothing here.", status=403)
        self._failures.forget(address)
        log.info("%s logs in from %s", role, address, extra={"action": "login"})
        answer = to(own_path(goal))
        cookie = self._sessions.begin(role, self._tokens.mark(role))
        answer.set_cookie(
            cookie_name(request),
            cookie,
            max_age=SECONDS,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _leave(self, request: Request) -> Response:
        name = cookie_name(request)
        if session := self._sessions.read(request.cookies.get(name, "")):
            self._sessions.end(session)
        answer = to(LOGIN)
        answer.delete_cookie(name, secure=request.url.scheme == "https", httponly=True)
        return answer


def form(
    goal: str, problem: str = "", *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return the login form.

    goal: the path to show after the login.
    problem: a sentence about the try before.
    """
    return page("login.html", status, headers, goal=own_path(goal), problem=problem)


def again(goal: str) -> Response:
    """Return a page that opens a path of ours at once.

    A browser that follows another site's link sends no cookie of ours; from our own page it does.
    """
    return page("again.html", goal=own_path(goal))


def page(
    template: str, status: int = 200, headers: dict[str, str] | None = None, **given: str
) -> Response:
    """Return a page of the door, filled in."""
    return HTMLResponse(TEMPLATES.get_template(template).render(given), status, headers)


def to(path: str) -> Response:
    """Send the browser to another page."""
    return RedirectResponse(path, 303)


def own_path(goal: str) -> str:
    """Return a path of this server as given, and `/` for every other address."""
    return goal if OWN_PATH.fullmatch(goal) else "/"


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie.

    Cookies belong to a host with all its ports: each dashboard has a name of its own, and under
    TLS one that no other page can set.
    """
    if request.url.scheme == "https":
        return "__Host-search"
    return f"search-{request.scope['server'][1]}"
