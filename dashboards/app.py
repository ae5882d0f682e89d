"""The application of the server: our own pages and optuna-dashboard's."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from dashboards.live.app import LivePages
from dashboards.optuna.pages import optuna_routes
from storage.store import Store


def build_app(store: Store, artifacts: str) -> Starlette:
    """Build the application that shows every study of the store and its kept files.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    """
    return Starlette(
        routes=[*LivePages(store, artifacts).routes, *optuna_routes(store, artifacts)],
        middleware=[Middleware(GZipMiddleware)],
    )
