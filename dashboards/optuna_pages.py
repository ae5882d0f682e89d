"""optuna-dashboard's pages for this store."""

import json
from collections.abc import Iterable
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import Environ, StartResponse, WSGIApp
from optuna_dashboard import wsgi
from starlette.types import ASGIApp

from dashboards.door.threads import CuttableThreads
from storage.artifacts import artifact_store
from storage.errors import DatabaseUnreachable
from storage.store import Store

THREADS = 10  # one idle or slow reader must not block the others
DATABASE_PATHS = ("/api/", "/artifacts/", "/csv/")
AWAY = {"reason": "the database is away; trying again in a moment"}


def optuna_pages(store: Store, artifacts: str) -> ASGIApp:
    """Build optuna-dashboard's application on a store and its kept files.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    """
    dashboard = wsgi(store.optuna_storage, artifact_store=artifact_store(artifacts))
    bridge: Any = WSGIMiddleware(_answering_when_away(dashboard, store))
    bridge.executor = CuttableThreads(THREADS)
    application: ASGIApp = bridge
    return application


def _answering_when_away(dashboard: WSGIApp, store: Store) -> WSGIApp:
    """Answer 503 while the database is away; optuna-dashboard would fail with a traceback."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            if environ["PATH_INFO"].startswith(DATABASE_PATHS):
                store.studies()
        except DatabaseUnreachable:
            start_response("503 Service Unavailable", [("Content-Type", "application/json")])
            return [json.dumps(AWAY).encode()]
        # Without this header optuna-dashboard fails to serve its files.
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # type: ignore[typeddict-item]
        return dashboard(environ, start_response)

    return application
