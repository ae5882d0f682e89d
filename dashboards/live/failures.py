"""The pages that say what is wrong."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from dashboards.live import render
from spaces.errors import StudyError
from storage.errors import DatabaseUnreachable, StorageError, UnknownStudy, UnknownTrial

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
TITLES = {404: "Not found", 503: "Database away"}


def explained(handler: Handler) -> Handler:
    """Answer with a page that says what is wrong, where the study cannot be read."""

    async def explaining(request: Request) -> Response:
        try:
            return await handler(request)
        except (UnknownStudy, UnknownTrial) as error:
            return _failure(request, 404, error)
        except DatabaseUnreachable as error:
            return _failure(request, 503, error)
        except StorageError as error:
            return _failure(request, 500, error)
        except StudyError as error:
            return _failure(request, 400, error)

    return explaining


async def refused(request: Request, error: Exception) -> Response:
    """Answer where there is no such page, or it may not be asked for in this way."""
    if not isinstance(error, HTTPException):
        raise error
    is_missing = error.status_code == 404
    found = f"there is no page {request.url.path[:200]!r}" if is_missing else error.detail
    answer = _answer(request, error.status_code, found=found, fix="go on from the list of studies")
    answer.headers.update(error.headers or {})
    return answer


async def broken(request: Request, error: Exception) -> Response:
    """Answer where a page could not be built; the server writes the traceback into its log."""
    log.error("%s cannot be shown: %s", request.url.path, error)
    return _answer(
        request,
        500,
        found="this page cannot be shown, by a fault of the dashboard",
        fix="see dashboard.log, in the folder of the logs",
    )


HANDLERS: Mapping[Any, Any] = {HTTPException: refused, Exception: broken}


def _failure(request: Request, status: int, error: StorageError | StudyError) -> Response:
    return _answer(request, status, found=error.found, fix=error.fix)


def _answer(request: Request, status: int, *, found: str, fix: str) -> Response:
    if request.url.path.endswith(".json"):
        return JSONResponse({"found": found, "fix": fix}, status)
    params = request.path_params
    html = render.page(
        "failure.html",
        title=TITLES.get(status, "Fault"),
        found=found,
        fix=fix,
        is_away=status == 503,
        trials=f"/s/{quote(params['name'])}/trials" if {"name", "number"} <= set(params) else "",
    )
    return HTMLResponse(html, status)
