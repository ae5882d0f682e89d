"""What the environment orders a worker to do wrong, for tests and `search chaos` only."""

from search.settings import Settings
from search.worker.outbox import Outbox
from storage import faults
from storage.errors import DatabaseUnreachable
from storage.store import Store


def plant_faults(settings: Settings, store: Store) -> None:
    """Obey SEARCH_FAULT and SEARCH_CHAOS_BREAK, where they are set."""
    if settings.fault:
        faults.plant(store, settings.fault)
    if settings.broken_guard == "replay":
        Outbox._note_away = _forget  # type: ignore[assignment, method-assign]
    elif settings.broken_guard:
        faults.switch_off(settings.broken_guard)


def _forget(outbox: Outbox, _error: DatabaseUnreachable, _started: float) -> None:
    """Drop what the database cannot take now."""
    outbox._waiting.clear()
