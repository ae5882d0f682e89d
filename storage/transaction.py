"""A process's few connections: single statements, and short transactions of several."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

from storage.errors import DatabaseUnreachable, StorageError
from storage.postgres.url import FIXES
from storage.postgres.variables import with_variables
from storage.rights import refusal

# The locks of a machine that is paused or vanishes inside a transaction are freed within these.
LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "extra_float_digits": "1",  # every bit of a number; a role may have it lower
}
CONNECT = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,  # a silent server is given up after 4 + 3 * 2 = 10 s
    "tcp_user_timeout": 10_000,  # ms
    "fallback_application_name": "search",
    "client_encoding": "utf8",  # else the server's: Python could not send an umlaut to SQL_ASCII
}
READS_ONLY = "reads_only"  # the option of an engine whose every transaction is READ ONLY
VIEWER_LIMITS = {"statement_timeout": "5s"}
ONE_MOMENT = "REPEATABLE READ, READ ONLY"
LOCKS = 0x5EA2C4  # the class of our advisory locks; another program's locks are of another


def engine_options(url: str | URL) -> dict[str, Any]:
    """Build the options of every engine of ours; what the URL or libpq's variables state wins."""
    stated = with_variables(make_url(url).query)
    return {
        "isolation_level": "READ COMMITTED",  # each statement sees what is committed by then
        "hide_parameters": True,
        "use_native_hstore": False,  # else every connection asks for a type that we do not use
        "connect_args": {name: value for name, value in CONNECT.items() if name not in stated},
    }


def brief_engine(url: str) -> Engine:
    """Build an engine that keeps no connection: each ends with its transaction."""
    return explain_errors(create_engine(url, poolclass=NullPool, **engine_options(url)))


def pooled_engine(url: URL, connections: int, patience_seconds: float = 30) -> Engine:
    """Build the engine of a process, for `step` and `transaction`, from any thread.

    A thread waits while all connections are in use, so it must never take a second one.

    connections: the most that are open at a time; they are opened when they are needed.
    patience_seconds: how long a thread waits for one; longer than LIMITS allow a statement.
    """
    options = engine_options(url) | {"isolation_level": "AUTOCOMMIT"}
    options |= {"pool_size": connections, "max_overflow": 0, "pool_timeout": patience_seconds}
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _set_limits)
    event.listen(engine, "checkin", _leave_transactions)
    return explain_errors(engine)


@contextmanager
def step(engine: Engine) -> Iterator[Connection]:
    """Yield a connection on which every statement is a transaction of its own, in one round trip.

    A connection that was cut while idle is DatabaseUnreachable at its next use, and replaced then.

    engine: a pooled one. One that only reads makes each step a transaction that is READ ONLY: a
        setting of the session would pass to other programs behind a PgBouncer.
    """
    if engine.get_execution_options().get(READS_ONLY):
        with transaction(engine) as connection:
            yield connection
        return
    with _connected(engine) as connection:
        yield connection


def viewing_engine(url: URL, connections: int) -> Engine:
    """Build a pooled engine through which nothing can be written and no statement takes long."""
    engine = pooled_engine(url, connections)
    engine.update_execution_options(**{READS_ONLY: True})
    return engine


def explain_errors(engine: Engine) -> Engine:
    """Let the engine raise DatabaseUnreachable when the database is lost, and StorageError when the
    role lacks a right; return the engine.
    """
    event.listen(engine, "handle_error", _explain)
    return engine


@contextmanager
def transaction(
    engine: Engine, level: str = "READ COMMITTED", **limits: str
) -> Iterator[Connection]:
    """Yield a connection; its work is committed at the end or, after an exception, undone.

    level: that of isolation; with ONE_MOMENT all statements read what the first one could.
    limits: settings of Postgres that replace those in LIMITS.
    """
    settings = LIMITS | limits
    if engine.get_execution_options().get(READS_ONLY):
        level, settings = f"{level}, READ ONLY", settings | VIEWER_LIMITS
    with _connected(engine) as connection:
        try:
            _begin(connection, level, settings)
        except DatabaseUnreachable:
            if not connection.invalidated:
                raise
            # It was cut while it was idle. Nothing has happened yet: a new one takes its place.
            connection.rollback()
            _begin(connection, level, settings)
        yield connection
        connection.commit()


def advisory_lock(connection: Connection, key: int) -> None:
    """Hold a lock until the transaction ends, however it ends.

    key: the lock's number, such as a study's id.
    """
    connection.execute(select(func.pg_advisory_xact_lock(LOCKS, key)))


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except NoneFree as error:
        found = "the database does not answer (every connection of this process waits for it)"
        raise DatabaseUnreachable(found, "see that it runs, then try again") from error
    with connection:
        yield connection


def _begin(connection: Connection, level: str, settings: Mapping[str, str]) -> None:
    # Not SQLAlchemy's isolation_level: to and fro it sends statements of its own.
    connection.connection.driver_connection.autocommit = False  # type: ignore[union-attr]
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    connection.exec_driver_sql(
        f"SET TRANSACTION ISOLATION LEVEL {level}; SELECT {calls}",
        (*chain.from_iterable(settings.items()),),
    )


def _set_limits(connection: Any, _: Any) -> None:
    # A claim that saw the trials as they were before it waited would give a number twice.
    settings = LIMITS | {"default_transaction_isolation": "read committed"}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [*chain.from_iterable(settings.items())])


def _leave_transactions(connection: Any, _: Any) -> None:
    if connection is not None and not connection.closed:
        connection.autocommit = True


def _explain(context: ExceptionContext) -> StorageError | None:
    if not isinstance(context.original_exception, Exception):  # a signal in the middle of it
        return None
    if refused := refusal(context.original_exception, _role(context)):
        return refused
    # An OperationalError comes from outside: no connection, no answer in time, no space on disk.
    if not (context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError)):
        return None
    return no_answer(context.original_exception)


def no_answer(error: BaseException) -> DatabaseUnreachable:
    """Build the error for a database that is lost, with the driver's words and their fix."""
    reason = str(error).strip().partition("\n")[0]
    fixes = (fix for words, fix in FIXES.items() if words in reason)
    fix = next(fixes, "see that it runs, then try again")
    return DatabaseUnreachable(f"the database does not answer ({reason})", fix)


def _role(context: ExceptionContext) -> str:
    quote = context.dialect.identifier_preparer.quote
    return quote(context.engine.url.username or "") if context.engine else ""
