"""A role or a database in which the tables cannot be made is one line with the fix; nothing is."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import optuna
import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL

from storage.errors import DatabaseUnreachable, StorageError
from storage.optunas import make_tables
from storage.schema import check_usable
from storage.store import Claim, Store
from storage.transaction import advisory_lock, brief_engine, explain_errors, transaction
from tests.conftest import execute
from tests.storage.samples import finished, new_study, new_worker

Sql = Callable[..., list[tuple[object, ...]]]
Limited = Callable[..., str]

TABLES = (
    "SELECT relnamespace::regnamespace::text, relname FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
)
numbers = itertools.count(1)


@pytest.fixture
def limited(empty_database_url: str, sql: Sql) -> Iterator[Limited]:
    """Make a role that owns the schema `public` of an empty database, and change it."""
    role = f"odd_{next(numbers)}"
    url: URL = make_url(empty_database_url)
    sql(f"CREATE ROLE {role} LOGIN")
    sql(f"ALTER SCHEMA public OWNER TO {role}")
    sql(f"GRANT ALL ON DATABASE {url.database} TO {role}")

    def change(*statements: str, query: str = "") -> str:
        for statement in statements:
            sql(statement.format(role=role, database=url.database))
        odd = url.set(username=role)
        odd = odd.update_query_dict({"options": query}) if query else odd
        return odd.render_as_string(hide_password=False)

    yield change
    sql(f"DROP OWNED BY {role} CASCADE")
    sql(f"DROP ROLE {role}")


def refused(url: str, sql: Sql) -> str:
    """Open the database, which must be refused and left without a new table."""
    before = sorted(sql(TABLES))
    with pytest.raises(StorageError) as asked:
        check_usable(url)
    with pytest.raises(StorageError) as caught:
        Store.open(url)
    assert str(asked.value) == str(caught.value)
    assert sorted(sql(TABLES)) == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            ["ALTER ROLE {role} SET default_transaction_read_only = on"],
            "SET default_transaction_read_only = off`",
        ),
        (["REVOKE CREATE ON DATABASE {database} FROM {role}"], "`GRANT CREATE ON DATABASE test_"),
        (
            ["ALTER SCHEMA public OWNER TO postgres", "GRANT USAGE ON SCHEMA public TO {role}"],
            "`GRANT CREATE ON SCHEMA public TO odd_",
        ),
        (["ALTER ROLE {role} SET search_path = ''"], "(empty) is there and may be used; run"),
        (["ALTER ROLE {role} SET search_path = 'none'"], "SET search_path = public`"),
        (
            ["DROP SCHEMA public", "ALTER ROLE {role} SET search_path = 'none'"],
            "`CREATE SCHEMA odd_",
        ),
        (["ALTER ROLE {role} SET statement_timeout = '200ms'"], "SET statement_timeout = '10s'`"),
        (["CREATE SCHEMA search_service"], "`GRANT ALL ON SCHEMA search_service TO odd_"),
        (["CREATE SCHEMA search_views"], "`GRANT ALL ON SCHEMA search_views TO odd_"),
        (
            [
                "REVOKE CREATE ON DATABASE {database} FROM {role}",
                "CREATE SCHEMA search_service AUTHORIZATION {role}",
            ],
            "`GRANT CREATE ON DATABASE test_",
        ),
    ],
)
def test_a_role_that_cannot_make_the_tables_learns_the_statement_that_helps(
    limited: Limited, sql: Sql, changes: list[str], says: str
) -> None:
    assert says in refused(limited(*changes), sql)


def test_the_statement_that_was_named_helps(limited: Limited, sql: Sql) -> None:
    url = limited("ALTER ROLE {role} SET search_path = 'none'")

    sql(refused(url, sql).split("`")[1])

    with Store.open(url) as store:
        assert store.studies() == []


def test_a_role_that_is_given_both_schemas_needs_no_right_to_make_some(
    limited: Limited, sql: Sql
) -> None:
    url = limited(
        "REVOKE CREATE ON DATABASE {database} FROM {role}",
        "CREATE SCHEMA search_service AUTHORIZATION {role}",
        "CREATE SCHEMA search_views AUTHORIZATION {role}",
    )
    with Store.open(url) as store:
        assert store.studies() == []


def test_a_role_that_lacks_a_schema_for_an_upgrade_learns_the_statement_that_helps(
    limited: Limited, sql: Sql
) -> None:
    url = limited()
    Store.open(url).close()
    sql("DROP SCHEMA search_views CASCADE")
    sql("UPDATE search_service.alembic_version SET version_num = '0003'")
    limited("REVOKE CREATE ON DATABASE {database} FROM {role}")
    assert "`GRANT CREATE ON DATABASE test_" in refused(url, sql)


def test_a_setting_of_the_url_is_to_be_changed_in_the_url(limited: Limited, sql: Sql) -> None:
    url = limited(query="-c search_path=none")

    assert "in the options of the URL" in refused(url, sql)


def test_a_role_that_may_make_everything_but_owns_no_database_makes_the_tables(
    limited: Limited, sql: Sql
) -> None:
    url = limited()
    check_usable(url)
    assert sql(TABLES) == []

    Store.open(url).close()
    check_usable(url)


STAMPED = "INSERT INTO alembic_version VALUES ('{}')"
OLD = (
    "CREATE TABLE version_info (version_info_id integer, schema_version integer,"
    " library_version text)",
    "CREATE TABLE alembic_version (version_num varchar(32))",
    "CREATE TABLE studies (study_id integer, study_name text, direction text)",
)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            [*OLD, "INSERT INTO version_info VALUES (1, 12, '2.3.0')", STAMPED.format("v2.4.0.a")],
            "the tables of Optuna 2.3.0",
        ),
        ([*OLD, "INSERT INTO version_info VALUES (1, 9, '1.0.0')"], "the tables of Optuna 1.0.0"),
        (
            [*OLD, "INSERT INTO version_info VALUES (1, 12, '6.1.0')", STAMPED.format("v6.0.0.a")],
            "the tables of Optuna 6.1.0",
        ),
        (["CREATE TABLE trials (id serial, drug text)"], "another program's 'trials'"),
        (["CREATE VIEW studies AS SELECT 1 AS one"], "another program's 'studies'"),
        (["CREATE TABLE version_info (build text)"], "another program's 'version_info'"),
        (["CREATE TYPE trialstate AS ENUM ('on', 'off')"], "another program's 'trialstate'"),
        (
            [OLD[1], STAMPED.format("ae1027a6acf"), STAMPED.format("b2")],
            "another program's 'alembic_version'",
        ),
        (["CREATE TABLE alembic_version (x text)"], "another program's 'alembic_version'"),
    ],
)
def test_tables_that_are_in_the_way_are_named_and_left(
    limited: Limited, sql: Sql, made: list[str], says: str
) -> None:
    url = limited(*made, "GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    line = refused(url, sql)

    assert says in line
    assert "`CREATE DATABASE search OWNER odd_" in line


def test_half_of_optunas_tables_are_made_whole(empty_database_url: str, sql: Sql) -> None:
    optuna.create_study(storage=empty_database_url, study_name="theirs")
    sql("DROP TABLE trial_values, trial_params, alembic_version")
    sql("DELETE FROM version_info")

    with Store.open(empty_database_url) as store:
        store.create(new_study("toy"))
        assert {study.study_name for study in store.optuna_storage.get_all_studies()} == {
            "theirs",
            "toy",
        }


def test_a_table_that_is_gone_is_named(database_url: str, sql: Sql) -> None:
    sql("DROP TABLE search_service.test_uses")

    assert "search_service.test_uses of database" in refused(database_url, sql)


def test_a_role_that_looks_into_another_schema_learns_where_the_studies_are(
    limited: Limited, sql: Sql
) -> None:
    Store.open(limited("CREATE SCHEMA team AUTHORIZATION {role}")).close()
    url = limited("ALTER ROLE {role} SET search_path = 'team'")

    sql(refused(url, sql).split("`")[1])

    with Store.open(url) as store:
        assert store.studies() == []


@pytest.mark.parametrize("told_by", ["the role", "the URL"])
def test_a_search_path_leads_every_step_to_its_schema(
    limited: Limited, sql: Sql, told_by: str
) -> None:
    made = "CREATE SCHEMA team AUTHORIZATION {role}"
    if told_by == "the role":
        url = limited(made, "ALTER ROLE {role} SET search_path = 'team'")
    else:
        url = limited(made, query="-c search_path=team")

    with Store.open(url) as store:
        run_a_study(store)
    assert sql("SELECT value FROM team.trial_values") == [(0.5,)]
    assert sql("SELECT to_regclass('public.studies')") == [(None,)]


def test_a_role_without_rights_on_the_tables_is_refused_in_one_line(
    limited: Limited, sql: Sql, empty_database_url: str
) -> None:
    Store.open(empty_database_url).close()

    assert "docs/operations.md lists those of a worker" in refused(limited(), sql)


def test_a_read_only_role_reads_and_its_writes_are_refused_in_one_line(
    limited: Limited, sql: Sql
) -> None:
    Store.open(limited()).close()
    url = limited("ALTER ROLE {role} SET default_transaction_read_only = on")

    with Store.open(url) as store:
        assert store.studies() == []
        with pytest.raises(DatabaseUnreachable, match="give a role that may write"):
            store.create(new_study("toy"))


def test_a_moment_without_writes_is_a_database_to_try_again(
    store: Store, database_url: str
) -> None:
    """While a standby takes over, or until a full disk has room."""
    engine = brief_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DatabaseUnreachable, match="the primary's address"):
            connection.execute(text("UPDATE trials SET number = 0"))


def test_a_full_disk_of_the_server_is_a_database_to_try_again(database_url: str) -> None:
    engine = brief_engine(database_url)
    with (
        pytest.raises(DatabaseUnreachable, match="free some room on the server"),
        transaction(engine) as connection,
    ):
        connection.execute(text("DO $$ BEGIN RAISE disk_full; END $$"))


def test_a_lock_of_another_session_is_told_with_the_way_to_find_it(database_url: str) -> None:
    engine = brief_engine(database_url)
    with transaction(engine) as holding, transaction(engine, lock_timeout="20ms") as waiting:
        advisory_lock(holding, 1)
        with pytest.raises(DatabaseUnreachable, match="pg_stat_activity") as refused:
            advisory_lock(waiting, 1)
    query = str(refused.value).split("`")[1]
    with transaction(engine) as connection:
        connection.execute(text(query))


def test_a_number_keeps_every_bit_whatever_the_role_shows_of_it(limited: Limited) -> None:
    url = limited("ALTER ROLE {role} SET extra_float_digits = -10")
    with Store.open(url) as store:
        store.create(new_study("toy"))
        store.register_worker("toy", new_worker("ada"))
        held = store.claim("toy", "ada", lease_seconds=30)
        assert isinstance(held, Claim)
        store.record(held, 1, {"val_loss": 0.1 + 0.2}, 0.1 + 0.2, seconds=1 / 3, images=1)
        store.tell(held, finished(0.1 + 0.2))

        (epoch,), (trial, *_) = store.epochs("toy"), store.trials("toy")
        assert (epoch.value, epoch.seconds, trial.value) == (0.1 + 0.2, 1 / 3, 0.1 + 0.2)


def test_a_role_without_a_connection_left_learns_it(limited: Limited) -> None:
    url = limited("ALTER ROLE {role} CONNECTION LIMIT 0", "ALTER ROLE {role} NOSUPERUSER")

    with pytest.raises(DatabaseUnreachable, match="let the role have more connections"):
        Store.open(url)


def test_no_call_holds_a_connection_while_it_asks_for_another(limited: Limited) -> None:
    """Else the workers behind a PgBouncer, started together, would all wait for each other."""
    with Store.open(limited("ALTER ROLE {role} CONNECTION LIMIT 1")) as store:
        run_a_study(store)
        assert [trial.state for trial in store.trials("toy")] == ["COMPLETE"]
        store.delete("toy")


def test_a_cancelled_statement_is_a_database_to_try_again(database_url: str) -> None:
    engine = explain_errors(create_engine(database_url))
    with (
        pytest.raises(DatabaseUnreachable, match="SET statement_timeout = '10s'`"),
        transaction(engine, statement_timeout="1ms") as connection,
    ):
        connection.execute(text("SELECT pg_sleep(1)"))
    engine.dispose()


def test_the_tables_are_those_that_optuna_makes(
    empty_database_url: str, engine: Engine, sql: Sql
) -> None:
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM"
        " information_schema.columns WHERE table_schema = 'public'"
    )
    notes = "SELECT * FROM version_info, alembic_version"
    with transaction(engine) as connection:
        make_tables(connection)
    ours = sorted(map(str, sql(columns))), sql(notes)
    sql("DROP SCHEMA public CASCADE")
    sql("CREATE SCHEMA public")

    optuna.storages.RDBStorage(empty_database_url)

    assert (sorted(map(str, sql(columns))), sql(notes)) == ours


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_an_umlaut_comes_back_from_a_database_of_another_encoding(
    database_server: str, encoding: str
) -> None:
    name = f"encoded_{encoding.lower()}"
    execute(
        database_server,
        f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
        " TEMPLATE template0",
    )
    url = make_url(database_server).set(database=name).render_as_string(hide_password=False)
    try:
        with Store.open(url) as store:
            store.create(new_study("toy", definition={"about": "Läsion 研"}))
            store.note_test_use("toy", "müller", "confirm")
            assert store.study("toy").definition == {"about": "Läsion 研"}
            assert [use.used_by for use in store.test_uses("toy")] == ["müller"]
            if encoding == "LATIN1":
                with pytest.raises(StorageError, match="made with ENCODING 'UTF8'"):
                    store.note_test_use("toy", "研", "confirm")
    finally:
        execute(database_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA search_service FROM PUBLIC",
            "may not call the function search_service.*GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA",
        ),
        ("DROP FUNCTION search_service.claim", r"function search_service\.claim .* is gone"),
    ],
)
def test_functions_that_are_not_there_for_the_role_are_told_before_a_worker_starts(
    change: str, found: str, limited: Limited, sql: Sql
) -> None:
    url = limited()
    Store.open(url).close()
    sql("ALTER FUNCTION search_service.claim OWNER TO CURRENT_USER")
    sql("ALTER FUNCTION search_service.is_live OWNER TO CURRENT_USER")
    sql(change)
    assert re.search(found, refused(url, sql))


def test_steps_see_what_was_committed_whatever_the_roles_isolation(
    database_url: str, sql: Sql
) -> None:
    database = make_url(database_url).database
    sql(f"ALTER DATABASE {database} SET default_transaction_isolation = 'repeatable read'")
    with Store.open(database_url) as store, store.engine.connect() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_a_claim_that_could_give_a_number_twice_is_refused_with_the_fix(
    store: Store, sql: Sql
) -> None:
    """Behind PgBouncer the settings of a session may be another one's, or the role's."""

    def repeatable(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_isolation = 'repeatable read'")

    event.listen(store.engine, "connect", repeatable)
    store.engine.dispose()
    with pytest.raises(StorageError, match=r"'repeatable read'.*; run `ALTER ROLE .* IN DATABASE"):
        store.claim("toy", "ada", lease_seconds=30)
    assert store.trials("toy") == []


def run_a_study(store: Store) -> None:
    """Create a study and bring its one trial to its end."""
    store.create(new_study("toy", queue=[{"x": 0.5}]))
    store.register_worker("toy", new_worker("ada"))
    held = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(held, Claim)
    with store.trial(held) as trial:
        trial.suggest_float("x", 0, 1)
    store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
    store.tell(held, finished(0.5))
