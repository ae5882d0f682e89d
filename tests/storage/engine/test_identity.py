"""A database that is restored under a running process: nothing of what was lost is remembered."""

from collections.abc import Callable

import pytest
from sqlalchemy import make_url

from storage.engine import snapshots
from storage.rows import Outcome
from storage.store import Claim, Store
from tests.conftest import execute, new_database
from tests.storage.samples import finished, new_worker, stock_study

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]
OF_TRIALS = (
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_system_attributes",
    "search_service.epochs",
    "search_service.attempts",
    "trials",
)


def delete_trials(sql: Sql, first: int) -> None:
    """Delete the trials from a number on; the next one gets the number and another id."""
    for table in OF_TRIALS:
        of_these = "trial_id IN (SELECT trial_id FROM trials WHERE number >= :first)"
        sql(f"DELETE FROM {table} WHERE {of_these}", first=first)


def restore(sql: Sql, first: int) -> None:
    """Leave what a dump from before trial `first` would: the next trial gets its id too."""
    delete_trials(sql, first)
    sql(
        "SELECT setval(pg_get_serial_sequence('trials', 'trial_id'),"
        " (SELECT max(trial_id) FROM trials))"
    )
    sql("UPDATE studies SET study_name = study_name")  # a loaded row is a new one


def train(store: Store, held: Claim, value: float) -> float:
    """Draw a trial's value, record an epoch, and end it; return the drawn value."""
    with store.trial(held) as trial:
        drawn = trial.suggest_float("x", 0, 1)
    store.record(held, 1, {"loss": value}, value, seconds=1.0, images=1)
    store.tell(held, finished(value))
    return drawn


@pytest.fixture
def trained(store: Store, claim: Claiming) -> Store:
    """A store that has seen four trials, through all of its readers."""
    store.update_definition("toy", {}, trials=None)
    for number in range(4):
        train(store, claim(), float(number))
    assert (store.arrays("toy").count, len(store.optuna_study("toy").trials)) == (4, 4)
    return store


def test_a_trial_after_a_restore_draws_its_own_values_and_stores_them(
    trained: Store, claim: Claiming, sql: Sql
) -> None:
    restore(sql, first=1)
    held = claim()
    drawn = train(trained, held, 10.0)
    assert (held.number, trained.trials("toy")[1].params) == (1, {"x": drawn})
    arrays = trained.arrays("toy")
    assert (arrays.values.tolist(), arrays.last_values.tolist()) == ([0.0, 10.0], [0.0, 10.0])
    assert arrays.curves.best_until(arrays.last_steps).tolist() == [0.0, 10.0]


def test_a_foreign_trial_after_a_restore_is_not_taken_for_the_one_that_was_lost(
    trained: Store, sql: Sql
) -> None:
    restore(sql, first=1)
    stock_study(trained).add_trial(stock_study(trained).trials[0])
    assert trained.arrays("toy").values.tolist() == [0.0, 0.0]


def test_the_storage_for_readers_forgets_what_a_restore_took_away(
    trained: Store, claim: Claiming, sql: Sql
) -> None:
    restore(sql, first=1)
    drawn = train(trained, claim(), 10.0)
    trials = trained.optuna_study("toy").trials
    assert [trial.value for trial in trials] == [0.0, 10.0]
    assert trials[1].params == {"x": drawn}


def test_a_look_forgets_what_a_restore_took_away(trained: Store, sql: Sql) -> None:
    before = trained.look("toy")
    restore(sql, first=1)
    look = trained.look("toy", before)
    assert (look.counts.total, look.outcomes) == (1, {Outcome.FINISHED: 1})


def test_a_copy_that_takes_the_place_of_the_database_is_another_one(
    trained: Store, claim: Claiming, database_url: str, database_server: str
) -> None:
    database = make_url(database_url).database
    before = trained.look("toy")
    trained.close()
    new_database(database_server, "copied", str(database))
    train(trained, claim(), 4.0)
    assert (trained.arrays("toy").count, trained.look("toy", before).counts.total) == (5, 5)
    execute(database_server, f"DROP DATABASE {database} WITH (FORCE)")
    new_database(database_server, str(database), "copied")
    execute(database_server, "DROP DATABASE copied")
    trained.close()
    assert (trained.arrays("toy").count, trained.look("toy", before).counts.total) == (4, 4)


def test_a_trial_that_has_the_number_of_a_deleted_one_draws_its_own_values(
    trained: Store, claim: Claiming, sql: Sql, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setattr(snapshots, "FEWEST", 2)
    with Store.open(database_url) as store:
        store.arrays("toy")
    assert sql("SELECT trials FROM search_service.snapshots") == [(4,)]
    delete_trials(sql, first=3)
    trained.register_worker("toy", new_worker("eve"))
    held = claim("eve")
    with Store.open(database_url) as store:  # from the snapshot, which has the deleted one
        drawn = train(store, held, 10.0)
        assert store.arrays("toy").values.tolist() == [0.0, 1.0, 2.0, 10.0]
    assert (held.number, trained.trials("toy")[3].params) == (3, {"x": drawn})
    assert trained.arrays("toy").values.tolist() == [0.0, 1.0, 2.0, 10.0]
