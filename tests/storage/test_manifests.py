"""The stored manifest of a study's data: whole or not at all."""

import pytest

from storage.store import Store
from tests.storage.samples import new_study

TABLE = "path,split,fold\nein Bild,1.png,train,0\nä.png,val,0\n"


def test_a_manifest_comes_back_as_it_was_stored(store: Store) -> None:
    store.create(new_study("gleason", manifest=TABLE))

    assert store.manifest("gleason") == TABLE
    assert store.manifest("toy") is None


def test_a_study_that_is_not_stored_leaves_no_manifest(store: Store, sql) -> None:
    with pytest.raises(TypeError):
        store.create(new_study("half", queue=[{"x": object()}], manifest=TABLE))

    assert sql("SELECT count(*) FROM search_service.manifests") == [(0,)]
