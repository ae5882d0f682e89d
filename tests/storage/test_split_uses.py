"""The uses of a study's test split are kept, each one."""

from datetime import datetime

from storage.store import Store


def test_every_use_of_the_test_split_is_kept_in_order(store: Store) -> None:
    assert store.test_uses("toy") == []
    store.note_test_use("toy", "box-7", "confirm")
    store.note_test_use("toy", "box-8", "confirm")

    first, second = store.test_uses("toy")

    assert (first.used_by, first.purpose, first.data_fingerprint) == ("box-7", "confirm", "data")
    assert second.used_by == "box-8"
    assert isinstance(first.used_at, datetime)
    assert first.used_at < second.used_at
