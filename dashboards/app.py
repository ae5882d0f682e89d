"""The application of the server: our own pages, and optuna-dashboard's behind them."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from dashboards.live.app import LivePages
from dashboards.optuna_pages import optuna_pages
from storage.store import Store


def build_app(store: Store, artifacts: str) -> Starlette:
    """Build the application that shows every study of the store and its kept files.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    """
    return Starlette(
        routes=[*LivePages(store, artifacts).routes, Mount("/", optuna_pages(store, artifacts))],
        middleware=[Middleware(GZipMiddleware)],
    )
