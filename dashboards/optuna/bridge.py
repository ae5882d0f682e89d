"""optuna-dashboard's answers for its own pages: a program without async, in threads of its own."""

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import Environ, StartResponse, WSGIApp
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
    bridged: Any = WSGIMiddleware(_Answers(store, artifacts))
    bridged.executor = CuttableThreads(THREADS)
    application: ASGIApp = bridged
    return application


class _Answers:
    """optuna-dashboard's answers, and 503 while the database is away, where it has a traceback."""

    def __init__(self, store: StoreReader, artifacts: str) -> None:
        self._store, self._artifacts = store, artifacts

    @cached_property
    def _dashboard(self) -> WSGIApp:
        from optuna_dashboard import wsgi  # 1.5 s: it imports scikit-learn; most never ask for it

        storage = MarkedStorage(self._store.engine)
        dashboard: WSGIApp = wsgi(storage, artifact_store=artifact_store(self._artifacts))
        return dashboard

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._store.studies()
        except DatabaseUnreachable:
            start_response("503 Service Unavailable", [("Content-Type", "application/json")])
            return [json.dumps(AWAY).encode()]
        return self._dashboard(environ, start_response)
