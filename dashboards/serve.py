"""Serve the dashboard until a signal ends the process."""

import logging
import signal
import socket
from functools import partial
from pathlib import Path
from threading import Thread
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from dashboards.app import build_app
from dashboards.door.connections import Connection
from dashboards.door.entrance import Entrance, check_entrance, own_names
from dashboards.door.guard import Guard
from dashboards.live import render
from dashboards.live.source import Source
from storage.connections import OF_A_CHANGE
from storage.store import Store
from storage.viewers.opening import open_reader

OWN_USER = Entrance()


def serve(
    url: str,
    viewer_url: str,
    listener: socket.socket,
    artifacts: str,
    logs: Path,
    entrance: Entrance = OWN_USER,
) -> None:
    """Answer requests until SIGTERM, SIGINT or SIGHUP; call it from the main thread.

    url: of the database, for the changes of writers.
    viewer_url: of the same database, for all that only reads.
    listener: a socket from `dashboards.door.port.listen`.
    artifacts: the location of the artifact store, see `storage.artifacts.artifact_store`.
    logs: the folder with a folder of logs for each study.
    entrance: who is let in. Raises EntranceError for one that would be open to others.
    """
    check_entrance(entrance, listener)
    with open_reader(viewer_url) as reader:
        source = Source(reader, artifacts, logs, partial(Store.open, url, OF_A_CHANGE))
        server = build_server(build_app(source), listener, entrance)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(signal.SIGHUP, server.handle_exit)
        Thread(target=render.prepare, name="templates", daemon=True).start()
        server.run(sockets=[listener])


def build_server(app: ASGIApp, listener: socket.socket, entrance: Entrance) -> uvicorn.Server:
    """Build the server of an application behind the guard, for one listening socket."""
    tls = entrance.certificate
    return _Server(
        uvicorn.Config(
            Guard(app, entrance, own_names(entrance, listener)),
            http=Connection,
            ws="none",
            # Any other visitor could name himself in X-Forwarded-For.
            proxy_headers=entrance.proxy is not None,
            forwarded_allow_ips=entrance.proxy or "",
            ssl_certfile=tls.file if tls else None,
            ssl_keyfile=tls.key if tls else None,
            log_config=None,  # into the process's own log
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


class _Server(uvicorn.Server):
    """uvicorn's server, ended by a signal at once; uvicorn itself would raise the signal again."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the server and cut off the requests in flight."""
        self.should_exit = self.force_exit = True
        logging.getLogger("uvicorn.error").disabled = True  # a request cut off now is not an error
