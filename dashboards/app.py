"""The application of the server: our own pages, reports, and optuna-dashboard's."""

from functools import partial
from html import escape
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboards.live.app import live_routes
from dashboards.live.failures import HANDLERS, explained
from dashboards.live.source import Source
from dashboards.optuna.pages import optuna_routes
from dashboards.report.fields import report_json
from dashboards.report.page import headers, report_page

MAIN = '<main class="report">\n'


def build_app(source: Source) -> Starlette:
    """Build the application that shows every study and its kept files."""

    async def report(request: Request) -> Response:
        name = request.path_params["name"]
        write = partial(report_page, source.store, name, source.artifacts)
        html = await source.report(name, write)
        return HTMLResponse(_with_way_back(html, name), headers=headers())

    async def as_json(request: Request) -> Response:
        name = request.path_params["name"]
        write = partial(report_json, source.store, name, source.artifacts)
        text = await source.report(f"{name}.json", write)
        return Response(text, media_type="application/json")

    return Starlette(
        routes=[
            Route("/s/{name}/report", explained(report)),
            Route("/s/{name}/report.json", explained(as_json)),
            *live_routes(source),
            *optuna_routes(source.store, source.artifacts),
        ],
        middleware=[Middleware(GZipMiddleware)],
        exception_handlers=HANDLERS,
    )


def _with_way_back(report: str, name: str) -> str:
    """Return a report with a link to its study, which only a served one can follow."""
    way = f'<a class="link" href="/s/{escape(quote(name))}">Back to {escape(name)}</a>'
    command = f"search report --study {escape(quote(name))} --out report.html"
    how = f"To keep this report, save this page, or <code>{command}</code>"
    return report.replace(MAIN, f'{MAIN}<p class="muted acts">{way} <span>{how}</span></p>\n', 1)
