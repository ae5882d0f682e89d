"""Serve the dashboard until somebody asks the process to end."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from dashboards.app import build_app
from storage.store import Store

GRACE_SECONDS = 1  # for answers that are under way at the end


def serve(url: str, listener: socket.socket, artifacts: Path) -> None:
    """Answer on a socket from `listen` until SIGTERM, SIGINT or SIGHUP; call from the main thread.

    url: the database's, as `storage.server.connect` yields it. artifacts: the folder of kept files.
    """
    with Store.open(url) as store:
        server = uvicorn.Server(
            uvicorn.Config(
                build_app(store, artifacts),
                log_config=None,  # into the process's own log
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        with _ended_by_signals(server):
            server.run(sockets=[listener])


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let the server end as a function does: uvicorn raises every signal again once it is down."""

    def end(*_: object) -> None:
        server.should_exit = True

    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` had it ignored: so it stays
        heard.append(signal.SIGHUP)
    before = {signum: signal.signal(signum, end) for signum in heard}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
