"""Serve the dashboard until somebody asks the process to end."""

import logging
import signal
import socket
from types import FrameType

import uvicorn

from dashboards.optuna_pages import build_app
from storage.store import Store


def serve(url: str, listener: socket.socket, artifacts: str) -> None:
    """Answer on a socket from `listen` until SIGTERM, SIGINT or SIGHUP; call from the main thread.

    url: the database's, as `storage.postgres.server.connect` yields it.
    artifacts: the store of kept files, see `storage.artifacts.artifact_store`.
    """
    with Store.open(url) as store:
        server = _Server(
            uvicorn.Config(
                build_app(store, artifacts),
                log_config=None,  # into the process's own log
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` had it ignored: so it stays
            signal.signal(signal.SIGHUP, server.handle_exit)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which a signal ends at once; uvicorn would raise the signal again."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Cut off whoever is still reading or waiting."""
        self.should_exit = self.force_exit = True
        logging.getLogger("uvicorn.error").disabled = True  # an answer cut off now is no error
