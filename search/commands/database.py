"""The commands `search database start`, `stop` and `url`: the embedded Postgres of this folder."""

from argparse import Namespace

from search.errors import UsageError
from search.settings import Settings
from storage.postgres import server


def start(arguments: Namespace, settings: Settings) -> int:
    """Start the embedded Postgres and keep it up until `search database stop`."""
    print(server.start(_embedded(settings).home))
    return 0


def stop(arguments: Namespace, settings: Settings) -> int:
    """Stop the embedded Postgres; its studies stay."""
    was_running = server.stop(_embedded(settings).home)
    print("the database is stopped; its studies stay" if was_running else "no database was running")
    return 0


def url(arguments: Namespace, settings: Settings) -> int:
    """Print the address of the embedded Postgres."""
    print(server.status(_embedded(settings).home).url)
    return 0


def _embedded(settings: Settings) -> Settings:
    if settings.database_url is not None:
        raise UsageError(
            "SEARCH_DATABASE_URL names another Postgres, which search does not start or stop",
            "unset it for the embedded one",
        )
    return settings
