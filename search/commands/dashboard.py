"""`search dashboard`: the dashboard alone, until Ctrl-C."""

from argparse import Namespace

from dashboards.door.port import address, inherited, listen
from dashboards.serve import serve
from search.settings import Settings
from storage.postgres.server import connect


def dashboard(arguments: Namespace, settings: Settings) -> int:
    """Serve every stored study, and print the address."""
    fd = arguments.fd
    with (
        listen(arguments.port) if fd is None else inherited(fd) as listener,
        connect(settings.home, settings.database_url) as url,
    ):
        print(f"dashboard {address(listener)}", flush=True)
        serve(url, listener, settings.artifacts)
    return 0
