"""Outages of the database, as workers note them once they are over."""

from collections.abc import Callable

import pytest

from storage.live.outages import NewOutage
from storage.store import Store
from tests.storage.samples import new_study, new_worker

Sql = Callable[..., list[tuple[object, ...]]]


def outage(**changes: object) -> NewOutage:
    return NewOutage(**{"worker": "ada", "outage": 1, "seconds": 60.0, "epochs": 3, **changes})


def test_an_outage_has_its_times_by_the_clock_of_the_database(store: Store, sql: Sql) -> None:
    store.note_outage(outage())
    (found,) = store.outages("toy")
    ((now,),) = sql("SELECT clock_timestamp()")
    assert (found.worker, found.epochs) == ("ada", 3)
    assert (found.ended_at - found.began_at).total_seconds() == pytest.approx(60, abs=0.1)
    assert 0 < (now - found.ended_at).total_seconds() < 60


def test_a_note_whose_answer_was_lost_is_not_made_twice(store: Store) -> None:
    store.note_outage(outage())
    before = store.outages("toy")
    store.note_outage(outage())
    assert store.outages("toy") == before


def test_the_newest_outages_of_a_study_come_first(store: Store) -> None:
    store.create(new_study("other"))
    store.register_worker("other", new_worker("eve"))
    for number in (1, 2, 3):
        store.note_outage(outage(outage=number, epochs=number))
    store.note_outage(outage(worker="eve"))
    assert [row.epochs for row in store.outages("toy", most=2)] == [3, 2]
    assert [row.worker for row in store.outages("other")] == ["eve"]


def test_an_outage_of_a_worker_that_is_not_stored_is_none(store: Store) -> None:
    store.note_outage(outage(worker="nobody"))
    assert store.outages("toy") == []


def test_outages_go_with_their_study(store: Store, sql: Sql) -> None:
    store.note_outage(outage())
    store.delete("toy")
    assert sql("SELECT * FROM search_service.outages") == []
