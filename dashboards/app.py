"""The application of the server: our own pages and optuna-dashboard's."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from dashboards.live.app import LivePages
from dashboards.live.source import Source
from dashboards.optuna.pages import optuna_routes


def build_app(source: Source) -> Starlette:
    """Build the application that shows every study and its kept files."""
    optunas = optuna_routes(source.store, source.artifacts)
    return Starlette(
        routes=[*LivePages(source).routes, *optunas], middleware=[Middleware(GZipMiddleware)]
    )
