"""`search dashboard`: the dashboard alone, until Ctrl-C."""

from argparse import Namespace
from contextlib import closing
from socket import socket

from dashboards.door.port import address, inherited, listen
from dashboards.serve import serve
from search.errors import AlreadyRunning
from search.processes.dashboard_lock import Living, open_again, take_or_find
from search.settings import Settings
from storage.postgres.server import connect


def dashboard(arguments: Namespace, settings: Settings) -> int:
    """Serve every stored study, and print the address; or print that of the living dashboard."""
    if arguments.fd is not None:  # for a `search run`, which holds the home's lock
        with inherited(arguments.fd) as listener:
            return _serve(listener, settings)
    port = arguments.port
    found = take_or_find(settings, open_again if port is None else lambda _: listen(port))
    if isinstance(found, Living):
        return _point_to(found, port)
    with closing(found):
        return _serve(found.listener, settings)


def _serve(listener: socket, settings: Settings) -> int:
    with connect(settings.home, settings.database_url) as url:
        print(f"dashboard {address(listener)}", flush=True)
        serve(url, listener, settings.artifacts, settings.logs)
    return 0


def _point_to(living: Living, port: int | None) -> int:
    if port not in (None, living.port):
        raise AlreadyRunning(
            f"process {living.pid} serves the dashboard of this home at {living.url} already",
            f"open that, or end the process to have it on port {port}",
        )
    print(f"dashboard {living.url}")
    print(f"process {living.pid} serves this home already")
    return 0
