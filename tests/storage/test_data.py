"""What is kept of a study's data: its manifest, whole or not at all, and who opened the test."""

from datetime import datetime

import pytest

from storage.store import Store

TABLE = "path,split,fold\nein Bild,1.png,train,0\nä.png,val,0\n"


def test_a_manifest_comes_back_as_it_was_stored(store: Store) -> None:
    store.create("gleason", {}, "print", "data", "minimize", trials=1, manifest=TABLE)

    assert store.manifest("gleason") == TABLE
    assert store.manifest("toy") is None


def test_a_study_that_is_not_stored_leaves_no_manifest(store: Store, sql) -> None:
    with pytest.raises(TypeError):
        store.create("half", {}, "f", "d", "minimize", 1, queue=[{"x": object()}], manifest=TABLE)

    assert sql("SELECT count(*) FROM search_service.manifests") == [(0,)]


def test_every_use_of_the_test_split_is_kept_in_order(store: Store) -> None:
    assert store.test_uses("toy") == []
    store.note_test_use("toy", "box-7", "confirm")
    store.note_test_use("toy", "box-8", "confirm")

    first, second = store.test_uses("toy")

    assert (first.used_by, first.purpose, first.data_fingerprint) == ("box-7", "confirm", "data")
    assert second.used_by == "box-8"
    assert isinstance(first.used_at, datetime)
    assert first.used_at < second.used_at
