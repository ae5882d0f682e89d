"""The one kind of transaction: short, on one connection, Optuna's writes inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

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
LOCKS = 0x5EA2C4  # the class of our advisory locks; another program's locks are of another


def engine_options(url: str | URL) -> dict[str, Any]:
    """Build the options of every engine of ours; what the URL or libpq's variables state wins."""
    stated = with_variables(make_url(url).query)
    return {
        "pool_pre_ping": True,  # a connection that was cut while idle is replaced
        "isolation_level": "READ COMMITTED",  # claims must see what was committed while they waited
        "hide_parameters": True,
        "connect_args": {name: value for name, value in CONNECT.items() if name not in stated},
    }


def step_engine(url: URL) -> Engine:
    """Build the engine of single statements: each is a transaction of its own, in one round trip.

    A connection that was cut while idle is DatabaseUnreachable at its next use, and replaced then.
    """
    options = engine_options(url) | {"pool_pre_ping": False, "isolation_level": "AUTOCOMMIT"}
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _set_limits)
    return explain_errors(engine)


def explain_errors(engine: Engine) -> Engine:
    """Let the engine raise DatabaseUnreachable when the database is lost, and StorageError when the
    role lacks a right; return the engine.
    """
    event.listen(engine, "handle_error", _explain)
    return engine


@contextmanager
def transaction(engine: Engine, **limits: str) -> Iterator[Connection]:
    """Yield a connection; its work is committed at the end or, after an exception, undone.

    limits: settings of Postgres that replace those in LIMITS.
    """
    settings = LIMITS | limits
    with engine.begin() as connection:
        connection.execute(select(*(func.set_config(*item, True) for item in settings.items())))
        yield connection


def advisory_lock(connection: Connection, key: int) -> None:
    """Hold a lock until the transaction ends, however it ends.

    key: the lock's number, such as a study's id.
    """
    connection.execute(select(func.pg_advisory_xact_lock(LOCKS, key)))


def _set_limits(connection: Any, _: Any) -> None:
    # A claim that saw the trials as they were before it waited would give a number twice.
    settings = LIMITS | {"default_transaction_isolation": "read committed"}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [*chain.from_iterable(settings.items())])


def _explain(context: ExceptionContext) -> StorageError | None:
    if context.is_pre_ping:  # after a failed ping the pool connects anew
        return None
    if refused := refusal(context.original_exception, _role(context)):
        return refused
    # An OperationalError comes from outside: no connection, no answer in time, no space on disk.
    if not (context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError)):
        return None
    reason = str(context.original_exception).strip().partition("\n")[0]
    fixes = (fix for words, fix in FIXES.items() if words in reason)
    fix = next(fixes, "see that it runs, then try again")
    return DatabaseUnreachable(f"the database does not answer ({reason})", fix)


def _role(context: ExceptionContext) -> str:
    quote = context.dialect.identifier_preparer.quote
    return quote(context.engine.url.username or "") if context.engine else ""
