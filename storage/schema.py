"""Optuna's tables and ours, brought up to date by the first process while the others wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import optuna
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Connection, NullPool, make_url, text, update
from sqlalchemy.exc import DBAPIError

from storage.engine.leases import count_beating
from storage.errors import LiveLeases, StorageError
from storage.optunas import are_there, check_free, check_release, check_whole, make_tables
from storage.rights import Rights, check_may_create, read_rights, refusal
from storage.rows import HandBackReason
from storage.tables import SCHEMA, attempts, workers
from storage.transaction import (
    advisory_lock,
    brief_engine,
    engine_options,
    explain_errors,
    no_answer,
    transaction,
)

MIGRATIONS = Path(__file__).parent / "migrations"
OPENING = 0  # the advisory lock of opening; a study's is its id, counted from 1
LIMITS = {
    "lock_timeout": "60s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}


def open_backend(url: str) -> RDBStorage:
    """Open Optuna's storage on a database, after bringing its tables and ours up to date.

    Optuna's tables and ours are made together or not at all. Raises LiveLeases when they must
    change while trials run, StorageError when they cannot be made or are not of this installation.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _prepare(url)
    try:
        # The tables are there, so this only reads and takes no lock, however many processes start.
        options = engine_options(url) | {"poolclass": NullPool}  # a worker uses it once, here
        # Optuna's own check holds one connection while it waits for a second one: processes that
        # start together behind a PgBouncer would all wait for each other. _prepare has checked.
        backend = RDBStorage(url, options, skip_compatibility_check=True, skip_table_creation=True)
    except (DBAPIError, StorageInternalError) as error:  # `_prepare` reached it a moment ago
        orig = getattr(error.__cause__ or error, "orig", None) or error
        raise refusal(orig, make_url(url).username or "") or no_answer(orig) from error
    explain_errors(backend.engine)
    return backend


def revision(connection: Connection) -> str | None:
    """Read the revision of our tables; None where they were never created."""
    options = {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def head() -> str:
    """Return the newest revision of our tables that this search knows."""
    return str(_scripts(MIGRATIONS).get_current_head())


def check_usable(url: str) -> None:
    """Raise StorageError where the tables are not there and cannot be made; change nothing."""
    with _opened(url) as (connection, rights):
        present = revision(connection)
        if present is None:
            _check_room(connection, rights)
        elif present == head():
            check_whole(connection, rights)
            check_release(connection)
        else:
            _check_change(present, rights)


def _prepare(url: str) -> None:
    with _opened(url) as (connection, rights):
        if revision(connection) != head():
            advisory_lock(connection, OPENING)
            _migrate(connection, rights)
        check_whole(connection, rights)
        check_release(connection)


@contextmanager
def _opened(url: str) -> Iterator[tuple[Connection, Rights]]:
    engine = brief_engine(url)
    try:
        with transaction(engine, **LIMITS) as connection:
            yield connection, read_rights(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise StorageError(
            f"the tables could not be made ({reason})", "give search a database of its own"
        ) from error
    finally:
        engine.dispose()


def _check_room(connection: Connection, rights: Rights) -> None:
    """Raise StorageError where the tables cannot be made."""
    check_may_create(rights, needs_optunas=not are_there(connection))
    check_free(connection, rights)


def _migrate(connection: Connection, rights: Rights) -> None:
    """Make or change the tables, Optuna's too, in the connection's one transaction."""
    present = revision(connection)  # read again: the lock's last holder may have migrated
    if present == head():
        return
    if present is None:
        _check_room(connection, rights)
        make_tables(connection)
    else:
        _check_change(present, rights)
        _close_tables(connection)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _check_change(present: str, rights: Rights) -> None:
    """Raise StorageError for tables that a newer search made, or that this role may not change."""
    if present not in {script.revision for script in _scripts(MIGRATIONS).walk_revisions()}:
        raise StorageError(
            f"the database is at revision {present} of another search; this one is at {head()}",
            f"upgrade search if a newer one made it, or {rights.own_database}",
        )
    check_may_create(rights, needs_optunas=False)


def _close_tables(connection: Connection) -> None:
    """Let no worker write until the migration ends, nor a silent one after it.

    Raises LiveLeases while trials run. A worker whose server was away for longer than its lease
    counts as silent: its trial goes to another attempt.
    """
    # In the order of a claim: one that has begun ends first, all others wait.
    connection.execute(text(f"LOCK TABLE {workers}, {attempts} IN SHARE MODE"))
    if live := count_beating(connection):
        raise LiveLeases(
            f"the tables must be migrated and {live} trials are running",
            "end their `search run` with Ctrl-C, or let them finish, then try again",
        )
    silent = update(attempts).where(attempts.c.ended_at.is_(None))
    connection.execute(silent.values(ended_at=attempts.c.beat_at, reason=HandBackReason.LOST))


@cache  # Alembic loads every script to find the newest, 10 ms
def _scripts(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder))
