"""Optuna's tables and ours, brought up to date by the first process while the others wait."""

from pathlib import Path

import optuna
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from psycopg2.errors import InsufficientPrivilege, InvalidSchemaName
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage.errors import DatabaseUnreachable, LiveLeases, StorageError
from storage.leases import count_live
from storage.tables import SCHEMA, attempts
from storage.transaction import advisory_lock, engine_options, explain_errors, transaction

MIGRATIONS = Path(__file__).parent / "migrations"
OPENING = 0  # the advisory lock of opening; a study's is its id, counted from 1
LIMITS = {
    "lock_timeout": "60s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}


def open_backend(url: str) -> RDBStorage:
    """Open Optuna's storage on a database, after bringing its tables and ours up to date.

    Raises LiveLeases when the tables must change while trials run, StorageError when they are newer
    than this installation or may not be created.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _prepare(url)
    try:
        # The tables are there, so this only reads and takes no lock, however many processes start.
        backend = RDBStorage(url, engine_options(url), skip_table_creation=True)
    except RuntimeError as error:  # Optuna's own schema check
        raise StorageError(" ".join(str(error).split())) from error
    except (OperationalError, StorageInternalError) as error:  # `_prepare` reached it a moment ago
        raise DatabaseUnreachable("the database went away while opening", "try again") from error
    explain_errors(backend.engine)
    return backend


def revision(connection: Connection) -> str | None:
    """Read the revision of our tables; None where they were never created."""
    options = {"version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _prepare(url: str) -> None:
    engine = explain_errors(create_engine(url, **engine_options(url)))
    try:
        with transaction(engine, **LIMITS) as connection:
            _refuse_own_schema(connection)
            if revision(connection) != _scripts().get_current_head():
                advisory_lock(connection, OPENING)
                _migrate(url, connection)
    except ProgrammingError as error:
        # A schema that the role may not use does not exist for it.
        if not isinstance(error.orig, InsufficientPrivilege | InvalidSchemaName):
            raise
        reason = str(error.orig).strip().partition("\n")[0]
        raise StorageError(
            f"the tables could not be created ({reason})",
            "let the database's owner grant this role CREATE on the database and its schema",
        ) from error
    finally:
        engine.dispose()


def _refuse_own_schema(connection: Connection) -> None:
    if connection.scalar(text("SELECT current_schema()")) == SCHEMA:
        role = connection.scalar(text("SELECT quote_ident(current_user)"))
        raise StorageError(
            f"this role works in the schema {SCHEMA}, where Optuna's tables must not go",
            f"let the database's owner run `ALTER ROLE {role} SET search_path = public`",
        )


def _migrate(url: str, connection: Connection) -> None:
    present = revision(connection)  # read again: the lock's last holder may have migrated
    if present == _scripts().get_current_head():
        return
    if present is not None:
        _refuse_migration(connection, present)
    backend = RDBStorage(url, engine_options(url))
    backend.remove_session()
    backend.engine.dispose()
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _refuse_migration(connection: Connection, present: str) -> None:
    if present not in {script.revision for script in _scripts().walk_revisions()}:
        raise StorageError(
            f"the database is at revision {present}, which this installation does not know",
            "upgrade search",
        )
    # No attempt can begin between the count and the migration's end.
    connection.execute(text(f"LOCK TABLE {attempts} IN SHARE MODE"))
    if live := count_live(connection):
        raise LiveLeases(
            f"the tables must be migrated and {live} trials are running",
            "end their `search run` with Ctrl-C, or let them finish, then try again",
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
