"""Serve the dashboard until a signal ends the process."""

import logging
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn

from dashboards.app import build_app
from dashboards.door.connections import Connection
from dashboards.door.guard import behind_guard
from storage.connections import OF_A_DASHBOARD
from storage.store import Store


def serve(url: str, listener: socket.socket, artifacts: str, logs: Path) -> None:
    """Answer requests until SIGTERM, SIGINT or SIGHUP; call it from the main thread.

    url: of the database, as `storage.postgres.server.connect` yields it.
    listener: a socket from `dashboards.door.port.listen`.
    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    logs: the folder with a folder of logs for each study.
    """
    with Store.open(url, OF_A_DASHBOARD) as store:
        server = _Server(
            uvicorn.Config(
                behind_guard(build_app(store, artifacts, logs)),
                http=Connection,
                proxy_headers=False,  # any visitor could name himself in X-Forwarded-For
                ws="none",
                log_config=None,  # into the process's own log
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(signal.SIGHUP, server.handle_exit)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, ended by a signal at once; uvicorn itself would raise the signal again."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the server and cut off the requests in flight."""
        self.should_exit = self.force_exit = True
        logging.getLogger("uvicorn.error").disabled = True  # a request cut off now is not an error
