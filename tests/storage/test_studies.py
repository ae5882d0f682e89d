"""Studies: stored whole or not at all, found by name, removed with everything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import LiveLeases, StudyExists, UnknownStudy
from storage.optuna_inside import optuna_tables
from storage.rows import Shown
from storage.store import Claim, Store
from storage.tables import metadata
from storage.transaction import LIMITS
from tests.storage.samples import finished, new_study

Sql = Callable[..., list[tuple[object, ...]]]


def test_a_study_comes_back_as_it_was_stored(store: Store) -> None:
    definition = {"z": 1, "a": [1e-5, 0.1 + 0.2, None, True], "space": {"b": 1, "a": 2}}
    stored = store.create(
        new_study("gleason", definition=definition, direction="maximize", trials=None)
    )
    assert stored == store.study("gleason")
    assert list(stored.definition.items()) == list(definition.items())
    assert (stored.direction, stored.trials, stored.stop) == ("maximize", None, None)
    assert [study.name for study in store.studies()] == ["toy", "gleason"]


def test_what_optunas_readers_show_of_a_study_is_stored_with_it_and_can_be_changed(
    store: Store,
) -> None:
    store.create(new_study("gleason", shown=Shown("val_loss", {"practice data": "drawn"})))
    study = store.optuna_study("gleason")
    assert (study.metric_names, study.user_attrs) == (["val_loss"], {"practice data": "drawn"})

    store.show("gleason", Shown("val_auc"))

    assert study.metric_names == ["val_auc"]


def test_a_name_is_given_once(store: Store) -> None:
    with pytest.raises(StudyExists, match="choose another name"):
        store.create(new_study("toy", fingerprint="other"))
    assert store.study("toy").fingerprint == "print"


def test_a_study_that_cannot_be_stored_whole_is_not_stored(store: Store) -> None:
    with pytest.raises(TypeError):
        store.create(new_study("half", queue=[{"x": 1}, {"x": object()}]))
    assert "half" not in {study.study_name for study in store.optuna_storage.get_all_studies()}


def test_an_unknown_study_is_answered_with_the_nearest_name(store: Store) -> None:
    with pytest.raises(UnknownStudy, match="did you mean 'toy'"):
        store.study("tou")


def test_a_new_definition_leaves_the_fingerprint(store: Store) -> None:
    changed = store.update_definition("toy", {"about": "words"}, trials=9)
    assert (changed.definition, changed.trials) == ({"about": "words"}, 9)
    assert changed.fingerprint == "print"


def test_a_deleted_study_leaves_no_row_behind(
    store: Store, claim: Callable[..., Claim], sql: Callable[..., list[tuple[int]]]
) -> None:
    held = claim()
    with store.trial(held) as trial:
        trial.suggest_float("x", 0, 1)
    store.record(held, 1, {"loss": 1.0}, 1.0, seconds=1.0, images=1)
    store.tell(held, finished(1.0, shown={"key": 1}, links={"key": 1}))
    store.delete("toy")
    tables = [*optuna_tables.tables, *metadata.tables]
    kept = {table for table in tables if sql(f"SELECT count(*) FROM {table}") != [(0,)]}
    assert kept == {"version_info"}


def test_a_long_study_is_deleted_however_long_that_takes(
    store: Store, claim: Callable[..., Claim], sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.tell(claim(), finished(1.0))
    sql(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(0.5); RETURN old; END'"
    )
    sql("CREATE TRIGGER linger BEFORE DELETE ON trials FOR EACH ROW EXECUTE FUNCTION linger()")
    monkeypatch.setitem(LIMITS, "statement_timeout", "300ms")
    store.delete("toy")
    assert store.studies() == []


def test_a_study_is_not_deleted_under_a_running_trial(
    store: Store, claim: Callable[..., Claim]
) -> None:
    held = claim()
    with pytest.raises(LiveLeases, match="search stop"):
        store.delete("toy")
    store.hand_back(held, "drained")
    store.delete("toy")
    assert store.studies() == []


def test_machines_that_amend_a_study_at_the_same_moment_lose_no_change(store: Store) -> None:
    store.create(new_study("shared", definition={"accepted": []}))

    def add(machine: int) -> None:
        store.amend("shared", lambda known: {"accepted": [*known["accepted"], machine]})

    with ThreadPoolExecutor(2) as both:
        list(both.map(add, range(20)))

    assert sorted(store.study("shared").definition["accepted"]) == list(range(20))
