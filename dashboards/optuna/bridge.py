"""optuna-dashboard's answers for its own pages: a program without async, in threads of its own."""

import json
from collections.abc import Iterable
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import Environ, StartResponse, WSGIApp
from optuna_dashboard import wsgi
from starlette.types import ASGIApp

from dashboards.door.threads import CuttableThreads
from dashboards.optuna.marked import MarkedStorage
from storage.artifacts import artifact_store
from storage.errors import DatabaseUnreachable
from storage.reader import StoreReader

THREADS = 10  # one idle or slow reader must not block the others
AWAY = {"reason": "the database is away; trying again in a moment"}


def bridge(store: StoreReader, artifacts: str) -> ASGIApp:
    """Build the application that answers for optuna-dashboard, except for its files.

    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    """
    dashboard = wsgi(MarkedStorage(store.engine), artifact_store=artifact_store(artifacts))
    bridged: Any = WSGIMiddleware(_answering_when_away(dashboard, store))
    bridged.executor = CuttableThreads(THREADS)
    application: ASGIApp = bridged
    return application


def _answering_when_away(dashboard: WSGIApp, store: StoreReader) -> WSGIApp:
    """Answer 503 while the database is away; optuna-dashboard would fail with a traceback."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            store.studies()
        except DatabaseUnreachable:
            start_response("503 Service Unavailable", [("Content-Type", "application/json")])
            return [json.dumps(AWAY).encode()]
        return dashboard(environ, start_response)

    return application
