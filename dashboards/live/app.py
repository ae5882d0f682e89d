"""The routes of our own pages."""

from functools import partial

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from dashboards.live import render
from dashboards.live.action_pages import ActionPages
from dashboards.live.list_pages import ListPages
from dashboards.live.source import Source
from dashboards.live.study_pages import StudyPages
from dashboards.live.study_watch import StudyWatch
from dashboards.live.watch import Watches

FILES = {
    "live.css": "text/css",
    "live.js": "text/javascript",
    "theme.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def live_routes(source: Source) -> list[BaseRoute]:
    """Build the routes of the list, of every study, and of the files that their pages load."""
    studies = Watches(partial(StudyWatch, source))
    return [
        Route("/live/{file}", _static),
        *ListPages(source).routes,
        *ActionPages(source, studies).routes,
        *StudyPages(source, studies).routes,
    ]


async def _static(request: Request) -> Response:
    name = request.path_params["file"]
    if name not in FILES:
        return Response("there is no such file", 404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address has its digest
    return FileResponse(render.STATIC / name, media_type=FILES[name], headers=kept)
