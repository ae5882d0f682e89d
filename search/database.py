"""Open the store that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager

from search.settings import Settings
from storage.postgres.place import cluster_path
from storage.postgres.server import connect, ensure_running
from storage.store import Store


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store; the embedded Postgres runs for as long as the block lasts."""
    with connect(settings.home, settings.database_url) as url, Store.open(url) as store:
        yield store


@contextmanager
def store_if_any(settings: Settings) -> Iterator[Store | None]:
    """Open the store if there may be studies; otherwise yield None and create nothing."""
    if not has_store(settings):
        yield None
        return
    with open_store(settings) as store:
        yield store


def has_store(settings: Settings) -> bool:
    """Say whether there may be studies at all; the caller then need not start a server to look."""
    path = cluster_path(settings.home)
    # A link to a folder that is gone is a lost database: opening it raises the error.
    return settings.database_url is not None or path.exists() or path.is_symlink()


def revive_database(settings: Settings) -> bool:
    """Start the embedded Postgres again; False when it was stopped on purpose."""
    return settings.database_url is not None or ensure_running(settings.home)
