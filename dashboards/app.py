"""The application of the server: our own pages and optuna-dashboard's."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from dashboards.live.app import LivePages
from dashboards.live.source import Source
from dashboards.optuna.pages import optuna_routes
from storage.store import Store


def build_app(store: Store, artifacts: str, logs: Path) -> Starlette:
    """Build the application that shows every study of the store and its kept files.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    logs: the folder with a folder of logs for each study.
    """
    return Starlette(
        routes=[
            *LivePages(Source(store, artifacts, logs)).routes,
            *optuna_routes(store, artifacts),
        ],
        middleware=[Middleware(GZipMiddleware)],
    )
