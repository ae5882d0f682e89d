"""A store on a database of the test's own, with a study in it, and a way to move its clock."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optuna.storages import RDBStorage
from sqlalchemy import Engine, create_engine, text

from storage import schema
from storage.postgres import server
from storage.schema import open_backend
from storage.store import Claim, Store
from tests.storage.postgres.server_user import USER, User, ordinary_users_home
from tests.storage.samples import new_study, new_worker

Sql = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def backend(database_url: str) -> RDBStorage:
    """Optuna's storage, as the store writes through it."""
    return open_backend(database_url)


@pytest.fixture
def store(backend: RDBStorage) -> Iterator[Store]:
    """An open store with a study `toy` of three trials and the workers ada and bob."""
    with Store(backend) as store:
        store.create(new_study("toy", definition={"space": ["x"]}, trials=3))
        gpu = {"device": "cuda:0", "threads": 4, "machine": {"torch": "2.15"}}
        for name in ("ada", "bob"):
            store.register_worker("toy", new_worker(name, **gpu))
        yield store


@pytest.fixture
def claim(store: Store) -> Callable[..., Claim]:
    """Claim a trial that must be there."""

    def claim(worker: str = "ada", lease_seconds: float = 30) -> Claim:
        claim = store.claim("toy", worker, lease_seconds=lease_seconds)
        assert isinstance(claim, Claim)
        return claim

    return claim


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A second way into the database, beside the store."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sql(engine: Engine) -> Sql:
    """Run one statement and return its rows."""

    def sql(statement: str, **values: object) -> list[tuple[object, ...]]:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    return sql


@pytest.fixture
def expire(sql: Sql) -> Callable[[], None]:
    """Expire every lease: its last beat was a day ago, and it is half as long as the server is up.

    A lease counts from the server's start at the earliest, which is only seconds ago in tests.
    """

    def expire() -> None:
        sql(
            "UPDATE search_service.attempts SET beat_at = beat_at - interval '1 day', lease_seconds"
            " = extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) / 2"
            " WHERE ended_at IS NULL"
        )

    return expire


@pytest.fixture
def empty_database_url(database_url: str, sql: Sql) -> str:
    """The URL of a database without any table."""
    sql("DROP SCHEMA search_service, search_views CASCADE")
    sql("DROP SCHEMA public CASCADE")
    sql("CREATE SCHEMA public")
    return database_url


ONE_MORE = """
from alembic import op
revision, down_revision = "9999", "{head}"
def upgrade():
    op.execute("SELECT pg_advisory_xact_lock(9999)")
    op.execute("ALTER TABLE search_service.workers ADD COLUMN mood text")
"""


@pytest.fixture
def newer_migrations(tmp_path: Path) -> Path:
    """The migrations of a search that has one more; it waits for the advisory lock 9999."""
    folder = tmp_path / "100% new"
    shutil.copytree(schema.MIGRATIONS, folder)
    (folder / "versions" / "9999_mood.py").write_text(ONE_MORE.format(head=schema.head()))
    return folder


@pytest.fixture
def fresh_home(tmp_path: Path) -> Iterator[Path]:
    """A home that nobody has used."""
    home = tmp_path / "a user's home"
    yield home
    server.remove(home)


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("shared") / ".search"
    yield home
    server.remove(home)


@pytest.fixture
def home(shared_home: Path) -> Iterator[Path]:
    """A home whose database is made; its server is down at the test's begin and end."""
    with server.connect(shared_home, None):
        pass
    yield shared_home
    server.stop(shared_home)


@pytest.fixture
def start_user() -> Iterator[Callable[[Path], User]]:
    """Starts processes that use a home's server; those still running at the end are killed."""
    users: list[User] = []

    def start(home: Path) -> User:
        command = [sys.executable, "-W", "error", "-c", USER, str(home)]
        pipe = subprocess.PIPE
        users.append(
            subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
            )
        )
        return users[-1]

    yield start
    for user in users:
        user.kill()
        user.communicate()


@pytest.fixture
def home_of_nobody() -> Iterator[Path]:
    """A home whose path is too long for a socket; for root one that belongs to somebody else."""
    with ordinary_users_home() as home:
        yield home
