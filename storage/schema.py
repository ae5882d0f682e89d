"""Optuna's tables and ours, brought up to date by whoever comes first, while the others wait."""

from pathlib import Path

import optuna
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage.errors import DatabaseUnreachable, LiveLeases, StorageError
from storage.leases import count_live
from storage.tables import SCHEMA, attempts
from storage.transaction import advisory_lock, engine_options, transaction, watched

MIGRATIONS = Path(__file__).parent / "migrations"
OPENING = 0  # the advisory lock of opening; a study's is its id, counted from 1
PATIENCE = {
    "lock_timeout": "60s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}


def open_backend(url: str) -> RDBStorage:
    """Give Optuna's storage on a database whose tables, Optuna's and ours, are up to date.

    Raises LiveLeases when they would have to change while trials run, StorageError when they are
    newer than this installation or may not be created.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _prepare(url)
    try:
        # With everything in place this only reads: no lock, however many processes start at once.
        backend = RDBStorage(url, engine_options(url), skip_table_creation=True)
    except RuntimeError as error:  # Optuna's own schema check
        raise StorageError(" ".join(str(error).split())) from error
    except (OperationalError, StorageInternalError) as error:  # it stood a moment ago
        raise DatabaseUnreachable("the database went away while opening; try again") from error
    watched(backend.engine)
    return backend


def revision(connection: Connection) -> str | None:
    """Tell at which revision our tables are; None where they were never created."""
    options = {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _prepare(url: str) -> None:
    engine = watched(create_engine(url, **engine_options(url)))
    try:
        with transaction(engine, **PATIENCE) as connection:
            _refuse_own_schema(connection)
            if revision(connection) != _scripts().get_current_head():
                advisory_lock(connection, OPENING)
                _migrate(url, connection)
    except ProgrammingError as error:
        said = str(error.orig).strip().partition("\n")[0]
        raise StorageError(
            f"the tables could not be created ({said}); "
            "let the database's owner grant this role CREATE on the database and its schema"
        ) from error
    finally:
        engine.dispose()


def _refuse_own_schema(connection: Connection) -> None:
    if connection.scalar(text("SELECT current_schema()")) == SCHEMA:
        role = connection.scalar(text("SELECT quote_ident(current_user)"))
        raise StorageError(
            f"this role works in the schema {SCHEMA}, where Optuna's tables must not go; "
            f"let the database's owner say `ALTER ROLE {role} SET search_path = public`"
        )


def _migrate(url: str, connection: Connection) -> None:
    present = revision(connection)  # asked again: who held the lock before us may have done it
    if present == _scripts().get_current_head():
        return
    if present is not None:
        _refuse(connection, present)
    backend = RDBStorage(url, engine_options(url))
    backend.remove_session()
    backend.engine.dispose()
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _refuse(connection: Connection, present: str) -> None:
    if present not in {script.revision for script in _scripts().walk_revisions()}:
        raise StorageError(
            f"the database is at revision {present}, newer than this installation; upgrade search"
        )
    # Nobody begins an attempt between the count and the migration's end.
    connection.execute(text(f"LOCK TABLE {attempts} IN SHARE MODE"))
    if live := count_live(connection):
        raise LiveLeases(
            f"the tables must be migrated and {live} trials are running; "
            "end their `search run` with Ctrl-C, or let them finish, then try again"
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
