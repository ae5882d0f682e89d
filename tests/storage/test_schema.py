"""Opening a database: its tables are made once, and changed only while no trial runs."""

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, make_url, text
from sqlalchemy.dialects.postgresql.base import ischema_names

from storage import schema
from storage.errors import StorageError
from storage.store import Store
from storage.tables import SCHEMA, TransactionId, metadata
from storage.transaction import advisory_lock, transaction
from tests.storage.samples import new_worker


def test_the_migrations_make_the_tables_that_the_code_speaks_of(
    empty_database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(empty_database_url).close()
    monkeypatch.setitem(ischema_names, "xid8", TransactionId)  # SQLAlchemy does not know it
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            "version_table_schema": SCHEMA,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_a_second_opening_changes_nothing_and_waits_for_no_lock(
    store: Store, database_url: str, engine: Engine
) -> None:
    with transaction(engine) as busy:
        advisory_lock(busy, schema.OPENING)
        with Store.open(database_url) as again:
            assert again.studies() == store.studies()


def test_a_migration_is_made_on_opening(
    store: Store,
    database_url: str,
    engine: Engine,
    newer_migrations: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.register_worker("toy", new_worker("eve"))
    monkeypatch.setattr(schema, "MIGRATIONS", newer_migrations)
    Store.open(database_url).close()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(mood) FROM search_service.workers")) == 0
        assert schema.revision(connection) == "9999"


def test_tables_of_another_search_are_refused(
    database_url: str, sql: Callable[..., object]
) -> None:
    sql("UPDATE search_service.alembic_version SET version_num = '9999'")
    for open_or_ask in (Store.open, schema.check_usable):
        with pytest.raises(StorageError, match="upgrade search if a newer one made it, or give"):
            open_or_ask(database_url)


def test_tables_of_another_optuna_are_refused(
    database_url: str, sql: Callable[..., object]
) -> None:
    for revision, fix in (("v3.0.0.a", "optuna storage upgrade"), ("v9.0.0", "install the newer")):
        sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        for open_or_ask in (Store.open, schema.check_usable):
            with pytest.raises(StorageError, match=fix):
                open_or_ask(database_url)


def test_a_role_that_may_not_create_tables_learns_which_grant_it_lacks(
    empty_database_url: str, sql: Callable[..., object]
) -> None:
    sql("DROP ROLE IF EXISTS guest")
    sql("CREATE ROLE guest LOGIN")
    guest = make_url(empty_database_url).set(username="guest")
    with pytest.raises(StorageError, match="`GRANT USAGE, CREATE ON SCHEMA public TO guest`"):
        Store.open(guest.render_as_string(hide_password=False))


def test_a_study_that_optuna_made_before_us_is_left_alone(
    empty_database_url: str,
) -> None:
    optuna.create_study(storage=empty_database_url, study_name="theirs")
    with Store.open(empty_database_url) as store:
        assert store.studies() == []
        assert [each.study_name for each in store.optuna_storage.get_all_studies()] == ["theirs"]


def test_a_role_whose_own_schema_is_ours_is_refused_with_the_fix(
    database_url: str, sql: Callable[..., object]
) -> None:
    sql(f"CREATE ROLE {SCHEMA} LOGIN SUPERUSER")
    try:
        with pytest.raises(
            StorageError, match=r"ALTER ROLE search_service IN DATABASE .* SET search_path"
        ):
            Store.open(make_url(database_url).set(username=SCHEMA).render_as_string())
    finally:
        sql(f"DROP ROLE {SCHEMA}")
