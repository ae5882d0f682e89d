"""The rows of workers: their readings, and the newest ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event

from storage.engine import statements
from storage.errors import LeaseLost
from storage.store import Claim, Store
from storage.tables import attempts, workers
from storage.transaction import transaction
from tests.storage.samples import new_worker

Claiming = Callable[..., Claim]


def readings(store: Store) -> list[object]:
    return [worker.readings for worker in store.workers("toy")]


def test_a_beat_stores_the_readings_of_its_worker_alone(store: Store, claim: Claiming) -> None:
    held = claim("ada")
    assert readings(store) == [None, None]
    store.request_stop("toy", "drain")
    assert store.beat(held, {"gpu_percent": 97, "device_name": 'a "GPU" é'}) == "drain"
    assert readings(store) == [{"gpu_percent": 97, "device_name": 'a "GPU" é'}, None]
    store.beat(held)
    assert readings(store)[0] is not None
    store.beat(held, {})
    assert readings(store) == [{}, None]


def test_a_beat_with_readings_is_a_beat(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    held = claim("ada")
    expire()
    store.beat(held, {"rss_bytes": 1})
    assert claim("bob").number != held.number
    store.end_leases("ada", "killed")
    with pytest.raises(LeaseLost):
        store.beat(held, {"rss_bytes": 2})


def test_a_beat_with_readings_is_one_statement(store: Store, claim: Claiming) -> None:
    held, sent = claim("ada"), []
    event.listen(store.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    store.beat(held, {"rss_bytes": 1})
    assert len(sent) == 1


def test_a_beat_locks_its_worker_before_its_attempt(
    store: Store, claim: Claiming, engine: Engine
) -> None:
    """Else a beat and a claim, or a beat and a migration, could each wait for the other."""
    held = claim("ada")
    sql = statements.BEAT_WITH_READINGS.text
    assert sql.index(str(workers)) < sql.index(str(attempts))
    with ThreadPoolExecutor() as threads, transaction(engine) as claiming:
        claiming.execute(workers.update().values(seen_at=workers.c.seen_at))
        beating = threads.submit(store.beat, held, {"rss_bytes": 1})
        claiming.execute(attempts.update().values(beat_at=attempts.c.beat_at))
        claiming.commit()
        assert beating.result() is None
    assert readings(store)[0] == {"rss_bytes": 1}


def test_the_workers_that_ended_last_come_first(store: Store) -> None:
    store.register_worker("toy", new_worker("eve"))
    for name, code in (("bob", -9), ("ada", 1)):
        store.worker_ended(name, code, f"{name} fell")
    found = store.recent_workers("toy")
    assert [(row.worker, row.exit_code, row.reason) for row in found] == [
        ("ada", 1, "ada fell"),
        ("bob", -9, "bob fell"),
    ]
    assert [row.worker for row in store.recent_workers("toy", most=1)] == ["ada"]
