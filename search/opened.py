"""The way from the settings to an open store."""

from collections.abc import Iterator
from contextlib import contextmanager

from search.settings import Settings
from storage.server import connect
from storage.store import Store


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store; the embedded Postgres runs for as long as the block lasts."""
    with connect(settings.home, settings.database_url) as url, Store.open(url) as store:
        yield store


def has_store(settings: Settings) -> bool:
    """Say whether there may be studies at all, so that a question about one starts no server."""
    return settings.database_url is not None or settings.home.exists()
