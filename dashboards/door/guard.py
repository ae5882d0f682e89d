"""The door before every page: it lets reading in, from this machine's own pages, and seals answers.

optuna-dashboard has no door of its own: any web page could delete a study through it, and an HTML
file that a trial kept would run script in its name.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READING = ("GET", "HEAD")
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
SEALS = {
    "Content-Security-Policy": "; ".join(f"{rule} {source}" for rule, source in POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
ARTIFACT_SEALS = {"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}


class Guard:
    """Refuse what writes and what comes from other origins, and seal every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal as the JSON that optuna-dashboard shows as an error."""
        refusal = _refusal(scope) if scope["type"] == "http" else None

        async def send_sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _seal(MutableHeaders(scope=message), scope["path"].startswith("/artifacts/"))
            await send(message)

        await (refusal or self._app)(scope, receive, send_sealed)


def _refusal(scope: Scope) -> JSONResponse | None:
    if scope["method"] not in READING:
        reason = "this dashboard only reads; change studies with the `search` command"
        return JSONResponse({"reason": reason}, 405, {"Allow": ", ".join(READING)})
    headers = Headers(scope=scope)
    own_origin = f"{scope['scheme']}://{headers.get('host')}"
    if headers.get("origin", own_origin) != own_origin:
        return JSONResponse({"reason": f"open {own_origin} itself; other pages may not ask"}, 403)
    return None


def _seal(headers: MutableHeaders, is_artifact: bool) -> None:
    headers.update(SEALS)
    if not is_artifact:
        return
    headers.update(ARTIFACT_SEALS)
    # optuna-dashboard opens artifacts to every web page.
    del headers["Access-Control-Allow-Origin"]
    if headers.get("content-type", "").startswith("text/"):  # a traceback is to be read at once
        headers["content-type"] = "text/plain; charset=utf-8"
    else:
        headers["content-disposition"] = "attachment"
