"""A snapshot of a study's arrays and what is newer are the study."""

import numpy as np
import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import create_trial
from sqlalchemy import Engine

from storage.engine import snapshots
from storage.store import Store
from tests.storage.engine.filled import Claiming, Sql, fill, in_arrays, take
from tests.storage.samples import finished, new_worker


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a snapshot of every ten trials."""
    monkeypatch.setattr(snapshots, "FEWEST", 10)


def test_a_process_that_starts_reads_it_and_what_is_newer(
    store: Store, claim: Claiming, database_url: str, sql: Sql
) -> None:
    fill(store, claim, 9)
    store.register_worker("toy", new_worker("cleo"))
    running, drawn, waiting = claim("ada"), claim("bob"), claim("cleo")
    store.arrays("toy")
    assert sql("SELECT trials FROM search_service.snapshots") == [(12,)]

    sql("UPDATE trial_params SET param_value = 0 WHERE trial_id = 1")  # not read again
    take(store, running, finished(0.125), 0.5, 0.25)
    take(store, drawn, None, 0.5)
    with Store.open(database_url) as other:
        assert in_arrays(other.arrays("toy")) == in_arrays(store.arrays("toy"))
        store.tell(drawn, finished(2.0))
        store.tell(waiting, finished(3.0))
        take(store, claim(), finished(4.0))
        assert in_arrays(other.arrays("toy")) == in_arrays(store.arrays("toy"))
        assert curves(other) == curves(store)


@pytest.mark.parametrize("body", [b"", b"PK torn", bytes(100)], ids=["", "torn", "0"])
def test_one_that_cannot_be_read_is_as_good_as_none(
    store: Store, claim: Claiming, database_url: str, sql: Sql, body: bytes
) -> None:
    fill(store, claim, 12)
    before = in_arrays(store.arrays("toy"))
    sql("UPDATE search_service.snapshots SET body = :body", body=body)
    with Store.open(database_url) as other:
        assert in_arrays(other.arrays("toy")) == before


def test_one_with_a_wrong_byte_is_as_good_as_none_and_replaced(
    store: Store, claim: Claiming, database_url: str, sql: Sql
) -> None:
    fill(store, claim, 12)
    before = in_arrays(store.arrays("toy"))
    sql("UPDATE search_service.snapshots SET body = set_byte(body, 12, 99)")  # the packing
    with Store.open(database_url) as other:
        assert in_arrays(other.arrays("toy")) == before
    assert sql("SELECT get_byte(body, 12) <> 99 FROM search_service.snapshots") == [(True,)]


def test_one_of_another_form_is_not_read(
    store: Store, claim: Claiming, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "FORM", 0)
    fill(store, claim, 12)
    before = in_arrays(store.arrays("toy"))
    monkeypatch.undo()
    with Store.open(database_url) as other:
        assert in_arrays(other.arrays("toy")) == before


def test_a_study_of_another_program_has_none(store: Store, database_url: str, sql: Sql) -> None:
    study = optuna.create_study(study_name="theirs", storage=RDBStorage(database_url))
    study.add_trials([create_trial(value=0.5)] * 12)
    assert store.arrays("theirs").count == 12
    assert sql("SELECT trials FROM search_service.snapshots") == []


def test_one_that_lacks_an_array_is_not_used(
    store: Store, claim: Claiming, database_url: str, engine: Engine
) -> None:
    fill(store, claim, 12)
    before = store.arrays("toy")
    with engine.begin() as connection:
        fewer = {"names": np.array([], dtype=np.str_), "states": before.states}
        assert snapshots.write(connection, before.study_id, fewer, 99) == 99
    with Store.open(database_url) as other:
        assert in_arrays(other.arrays("toy")) == in_arrays(before)


def test_a_smaller_one_never_replaces_a_larger_one(
    store: Store, claim: Claiming, sql: Sql, engine: Engine
) -> None:
    fill(store, claim, 12)
    study_id = store.arrays("toy").study_id
    with engine.begin() as connection:
        assert snapshots.write(connection, study_id, {}, 9) == 10
    assert sql("SELECT trials FROM search_service.snapshots") == [(10,)]


def curves(store: Store) -> dict[int, str]:
    """Spell the best value of each curve after its first and its last epoch."""
    found = store.arrays("toy").curves
    first, last = (found.best_until(np.full(len(found.numbers), at)) for at in (1, 99))
    return {
        number: f"{start} {end}"
        for number, start, end in zip(found.numbers.tolist(), first, last, strict=True)
    }
