"""The door for viewers: everything can be read through it, and nothing written."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from storage.engine import snapshots
from storage.errors import DatabaseUnreachable, StorageError
from storage.reader import StoreReader
from storage.store import Claim, Store
from storage.transaction import ONE_MOMENT, step, transaction
from storage.viewers.opening import open_reader
from storage.viewers.role import ROLE, make_viewer
from tests.storage.engine.filled import fill, in_arrays
from tests.storage.engine.test_identity import delete_trials
from tests.storage.listings import statements
from tests.storage.samples import new_worker

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]

READINGS: dict[str, Callable[[StoreReader], object]] = {
    "study": lambda reader: reader.study("toy"),
    "look": lambda reader: (reader.look("toy").counts, reader.look("toy").ranking),
    "trials": lambda reader: reader.trials("toy"),
    "epochs": lambda reader: repr(reader.epochs("toy")),
    "attempts": lambda reader: (reader.newest_attempts("toy"), reader.attempts_of("toy", [1, 2])),
    "workers": lambda reader: [row.worker for row in reader.workers("toy")],
    "ended workers": lambda reader: [row.worker for row in reader.recent_workers("toy")],
    "outages": lambda reader: reader.outages("toy"),
    "gpu_seconds": lambda reader: reader.gpu_seconds("toy").settled,
    "course": lambda reader: (reader.best_steps("toy"), reader.values("toy", most=400)),
    "arrays": lambda reader: in_arrays(reader.arrays("toy")),
    "manifest": lambda reader: reader.manifest("toy"),
    "test_uses": lambda reader: reader.test_uses("toy"),
    "Optuna's": lambda reader: repr(reader.optuna_study("toy").trials),
}


@pytest.fixture
def viewer_url(store: Store, claim: Claiming, database_url: str) -> str:
    """The URL of the role that may only read, in a database with a study."""
    fill(store, claim, 8)
    store.worker_ended("bob", 1, "it fell")
    return make_viewer(database_url)


@pytest.fixture
def reader(viewer_url: str) -> Iterator[StoreReader]:
    with open_reader(viewer_url) as reader:
        yield reader


def test_a_viewer_reads_what_the_store_reads(store: Store, reader: StoreReader) -> None:
    for name, read in READINGS.items():
        assert read(reader) == read(store), name


def test_the_role_may_not_write(viewer_url: str) -> None:
    assert make_url(viewer_url).username == ROLE
    engine = create_engine(viewer_url, poolclass=NullPool)
    for statement in ("DELETE FROM trials", "UPDATE search_service.studies SET stop = 'now'"):
        with engine.connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.commit()
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text(statement))


def test_a_reader_writes_nothing_whatever_its_role_may(database_url: str, store: Store) -> None:
    with open_reader(database_url) as reader:
        for level in ("READ COMMITTED", ONE_MOMENT):
            with (
                pytest.raises(DatabaseUnreachable, match="may only read"),
                transaction(reader._engine, level) as connection,
            ):
                connection.execute(text("DELETE FROM search_service.workers"))
        with (
            pytest.raises(DatabaseUnreachable, match="may only read"),
            step(reader._engine) as connection,
        ):
            connection.execute(text("DELETE FROM search_service.workers"))
    assert len(store.workers("toy")) == 2


def test_a_reader_ends_a_statement_after_five_seconds(database_url: str, store: Store) -> None:
    with open_reader(database_url) as reader:
        for open_one in (transaction, step):
            with open_one(reader._engine) as connection:
                assert connection.scalar(text("SHOW statement_timeout")) == "5s"


def test_a_reader_keeps_no_snapshot_and_removes_none(
    store: Store, claim: Claiming, database_url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "SELECT trials, md5(body) FROM search_service.snapshots"
    fill(store, claim, 8)
    monkeypatch.setattr(snapshots, "FEWEST", 5)
    with open_reader(database_url) as reader:
        assert reader.arrays("toy").count == 8
        assert sql(kept) == []
    store.arrays("toy")
    sql("UPDATE search_service.snapshots SET body = set_byte(body, 12, 99)")
    torn = sql(kept)
    with open_reader(database_url) as reader:
        assert in_arrays(reader.arrays("toy")) == in_arrays(store.arrays("toy"))
    assert sql(kept) == torn


def test_a_reader_leaves_a_snapshot_of_other_trials_alone(
    store: Store, claim: Claiming, database_url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, claim, 8)
    monkeypatch.setattr(snapshots, "FEWEST", 5)
    with open_reader(database_url) as reader:
        store.arrays("toy")
        assert reader.arrays("toy").count == 8
        kept = sql("SELECT trials, md5(body) FROM search_service.snapshots")
        delete_trials(sql, first=1)
        again = claim("ada")  # it has the number of a deleted trial
        assert (again.number, reader.arrays("toy").count) == (1, 2)
    assert sql("SELECT trials, md5(body) FROM search_service.snapshots") == kept != []


def test_the_role_is_made_once_and_gets_what_an_upgrade_adds(
    viewer_url: str, database_url: str, sql: Sql
) -> None:
    assert make_viewer(database_url) == viewer_url
    sql("CREATE TABLE search_service.later AS SELECT 1 AS one")
    with pytest.raises(StorageError, match=r"may not read search_service\.later of database"):
        open_reader(viewer_url)
    make_viewer(database_url)
    open_reader(viewer_url).close()


def test_tables_of_another_search_are_refused_and_left(database_url: str, sql: Sql) -> None:
    sql("UPDATE search_service.alembic_version SET version_num = '0004'")
    with pytest.raises(StorageError, match="is at revision 0004 of another search; this one is at"):
        open_reader(database_url)
    assert sql("SELECT version_num FROM search_service.alembic_version") == [("0004",)]


def test_a_database_without_tables_is_refused_and_left(empty_database_url: str, sql: Sql) -> None:
    with pytest.raises(StorageError, match="has no tables of search; start a study there first"):
        open_reader(empty_database_url)
    assert sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^search'") == []


@pytest.fixture
def guest(database_url: str, sql: Sql) -> Iterator[str]:
    """The URL of a role without any right."""
    sql("CREATE ROLE guest_viewer LOGIN")
    yield make_url(database_url).set(username="guest_viewer").render_as_string()
    sql("DROP OWNED BY guest_viewer")
    sql("DROP ROLE guest_viewer")


@pytest.mark.usefixtures("store")
def test_a_role_that_may_not_read_learns_its_grants(guest: str, sql: Sql) -> None:
    for _ in ("public", "search_service"):
        with pytest.raises(StorageError, match="may not read") as refused:
            open_reader(guest)
        for grant in refused.value.fix.split("`")[1::2]:
            sql(grant)
    open_reader(guest).close()


@pytest.mark.usefixtures("store")
def test_a_role_that_may_make_no_role_is_told_of_an_administrator(guest: str, sql: Sql) -> None:
    with pytest.raises(StorageError, match="let an administrator make such a role"):
        make_viewer(guest)


@pytest.mark.usefixtures("store")
def test_the_role_of_the_docs_reads_everything_and_writes_nothing(
    database_url: str, sql: Sql
) -> None:
    for statement in statements("operations.md", "viewer"):
        sql(statement)
    url = make_url(database_url).set(username="viewer")
    try:
        with open_reader(url.render_as_string()) as reader:
            assert reader.look("toy").counts.total == 0
            assert reader.gpu_seconds("toy").seconds.total == 0
        with pytest.raises(StorageError), Store.open(url.render_as_string()) as store:
            store.register_worker("toy", new_worker("eve"))
    finally:
        sql("DROP OWNED BY viewer")
        sql("DROP ROLE viewer")
