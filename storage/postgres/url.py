"""The database URL that a user configures: read, and tried with one connection."""

from collections.abc import Mapping

import psycopg2
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import DatabaseUnreachable, StorageError
from storage.postgres.variables import with_variables

DRIVER = "postgresql+psycopg2"
CONNECT_SECONDS = 10
SHAPE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"

# Words in the errors of libpq and the server, each with its fix.
FIXES = {
    "does not support SSL": "turn SSL on in that server, or take sslmode out of the URL",
    "no encryption": "add ?sslmode=require to the URL, or let this machine in by pg_hba.conf",
    "certificate verify failed": "name the file of its authority with sslrootcert",
    "does not match host name": "give the host by the name in the certificate",
    "definition of service": "correct the service's name, or its file (PGSERVICEFILE)",
    "service file": "correct its name in PGSERVICEFILE",
    "password authentication failed": "correct the user or the password",
    "no password supplied": "add the password (a PGPASSFILE counts with mode 0600 alone)",
    "no pg_hba.conf entry": "let this machine in with a line in the server's pg_hba.conf",
    "could not translate host name": "correct the host",
    "Connection refused": "start Postgres there or correct host and port",
    "timeout expired": "check that a firewall lets this machine through to host and port",
    "does not exist": "create it there or correct its name",
    "too many connections": "let the role have more connections, or start fewer workers",
    "connection slots": "raise the server's max_connections, or start fewer workers",
    "too many clients": "raise the server's max_connections, or start fewer workers",
    "no more connections": "raise PgBouncer's max_client_conn, or start fewer workers",
    "the database system is": "try again in a moment",  # starting up, shutting down
}


def database_url(configured: str) -> str:
    """Return the configured URL as SQLAlchemy needs it, without touching any server.

    SQLAlchemy 2.1 reads `postgresql://` as psycopg 3; here every Postgres URL means psycopg2.
    Raises StorageError for any other URL; the message never repeats a password.
    """
    if configured.count("@") > 1:
        raise _unreadable("has more than one '@'", "write an '@' inside the password as %40")
    try:
        url = make_url(configured)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        # Not chained: the text of these errors quotes the URL with its password.
        raise _unreadable("cannot be read", f"write it as {SHAPE}") from None
    scheme = url.drivername.partition("+")[0]
    if scheme not in ("postgres", "postgresql"):
        found = f"begins with '{scheme}', but Postgres is the only database"
        raise _unreadable(found, f"use {SHAPE}")
    return url.set(drivername=DRIVER).render_as_string(hide_password=False)


def check_reachable(url: str) -> None:
    """Return once the database behind the URL has answered; raise DatabaseUnreachable otherwise."""
    parsed = make_url(url)
    options = parsed.get_dialect()().create_connect_args(parsed)[1]
    stated = with_variables(options)
    ours = {} if "connect_timeout" in stated else {"connect_timeout": CONNECT_SECONDS}
    try:
        psycopg2.connect(**{**ours, **options}).close()
    except psycopg2.Error as error:
        reason, fix = _reason_and_fix(error)
        raise DatabaseUnreachable(f"{_attempted(stated)}: {reason}", fix) from None


def _unreadable(problem: str, fix: str) -> StorageError:
    return StorageError(f"the database URL (SEARCH_DATABASE_URL) {problem}", fix)


def _attempted(options: Mapping[str, object]) -> str:
    """Say which connection was tried, without the password."""
    host, port = options.get("host", "the default socket"), options.get("port", 5432)
    database, user = options.get("dbname", "the default"), options.get("user", "the default")
    return f"no connection to Postgres at {host}, port {port}, database {database}, user {user}"


def _reason_and_fix(error: psycopg2.Error) -> tuple[str, str]:
    first_line = str(error).strip().partition("\n")[0]
    reason = first_line.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
    fix = next((fix for words, fix in FIXES.items() if words in reason), "correct the URL")
    return reason, f"{fix}, or unset SEARCH_DATABASE_URL to use the built-in Postgres"
