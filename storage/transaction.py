"""The one kind of transaction that writes: short, on one connection, Optuna's writes inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
    TimeoutError,  # of the connection pool
)

from storage.errors import DatabaseUnreachable

# A machine that is paused or vanishes inside a transaction frees its locks within these limits.
LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
CONNECT = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,  # 4 + 3 * 2 s: a silent peer is given up after 10 s
    "tcp_user_timeout": 10_000,  # ms
    "fallback_application_name": "search",
}
LOCKS = 0x5EA2C4  # the class of our advisory locks, so that no other program's are met


def engine_options(url: str) -> dict[str, Any]:
    """Give the options that every engine of ours is made with; what the URL itself says wins."""
    stated = make_url(url).query
    return {
        "pool_pre_ping": True,  # a connection cut while it was idle is replaced unnoticed
        "isolation_level": "READ COMMITTED",  # claims must see what was committed while they waited
        "hide_parameters": True,
        "connect_args": {name: value for name, value in CONNECT.items() if name not in stated},
    }


@contextmanager
def transaction(engine: Engine, **limits: str) -> Iterator[Connection]:
    """Yield a connection whose work is committed at the end or, after an exception, undone."""
    settings = LIMITS | limits
    with connectivity(), engine.begin() as connection:
        connection.execute(select(*(func.set_config(*item, True) for item in settings.items())))
        yield connection


def advisory_lock(connection: Connection, key: int) -> None:
    """Hold the lock of this number, a study's id, until the transaction ends, however it ends."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCKS, key)))


@contextmanager
def joined(backend: RDBStorage, connection: Connection) -> Iterator[None]:
    """Make this thread's writes through `backend` a part of the connection's transaction."""
    backend.remove_session()
    backend.scoped_session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield
    finally:
        backend.remove_session()


@contextmanager
def connectivity() -> Iterator[None]:
    """Raise DatabaseUnreachable where the database was away, cut us off or kept us waiting."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        if not _is_lost(cause):
            raise
        said = str(getattr(cause, "orig", None) or cause).strip().partition("\n")[0]
        raise DatabaseUnreachable(
            f"the database does not answer ({said}); see that it runs, then try again"
        ) from error


def _is_lost(error: BaseException | None) -> bool:
    # PendingRollbackError: a later statement on a connection that was cut before.
    lost = (OperationalError, InterfaceError, PendingRollbackError, TimeoutError)
    return isinstance(error, lost) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
