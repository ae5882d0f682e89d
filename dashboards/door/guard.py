"""The guard of every page: it refuses writes and foreign origins, and adds security headers.

optuna-dashboard has no such protection: any web page could delete a study through it, and an HTML
file that a trial kept would run scripts with the rights of its pages.
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


class Guard:
    """Refuse requests that write or come from other origins, and secure every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a refusal is JSON that optuna-dashboard shows as an error."""
        refusal = _refusal(scope) if scope["type"] == "http" else None

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope["path"].startswith("/artifacts/"))
            await send(message)

        await (refusal or self._app)(scope, receive, send_secured)


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
