"""What a thread reads at one moment."""

import threading

import pytest

from storage.errors import UnknownStudy
from storage.store import Store
from storage.viewers.opening import open_reader
from tests.storage.samples import new_study, new_worker


def test_all_that_is_read_in_a_moment_is_as_it_was_at_its_begin(
    store: Store, database_url: str
) -> None:
    with open_reader(database_url) as reader:
        with reader.one_moment():
            before = [row.worker for row in reader.workers("toy")]
            store.register_worker("toy", new_worker("eve"))
            assert [row.worker for row in reader.workers("toy")] == before
        assert [row.worker for row in reader.workers("toy")] == [*before, "eve"]


def test_other_threads_read_for_themselves_meanwhile(store: Store, database_url: str) -> None:
    found: list[str] = []
    with open_reader(database_url) as reader, reader.one_moment():
        reader.study("toy")
        store.create(new_study("new"))
        thread = threading.Thread(target=lambda: found.append(reader.study("new").name))
        thread.start()
        thread.join()
        with pytest.raises(UnknownStudy):
            reader.study("new")
    assert found == ["new"]


def test_arrays_are_brought_up_to_date_in_the_next_moment(store: Store, database_url: str) -> None:
    with open_reader(database_url) as reader:
        with reader.one_moment():
            assert reader.arrays("toy").count == 0
            store.claim("toy", "ada", lease_seconds=30)
            assert reader.arrays("toy").count == 0
        with reader.one_moment():
            assert reader.arrays("toy").count == 1
