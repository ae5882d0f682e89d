"""Where studies are kept when the user says so: reading a database URL and trying it."""

from collections.abc import Mapping

import psycopg2
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import DatabaseUnreachable, StorageError

DRIVER = "postgresql+psycopg2"
CONNECT_SECONDS = 10
SHAPE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"

# What libpq and the server say, and what a person does about it.
FIXES = {
    "password authentication failed": "correct the user or the password",
    "no password supplied": "add the password",
    "no pg_hba.conf entry": "let this machine in with a line in the server's pg_hba.conf",
    "could not translate host name": "correct the host",
    "Connection refused": "start Postgres there or correct host and port",
    "timeout expired": "check that a firewall lets this machine through to host and port",
    "does not exist": "create it there or correct its name",
    "the database system is": "try again in a moment",  # starting up, shutting down
}


def database_url(configured: str) -> str:
    """Return the configured URL as SQLAlchemy needs it, without touching any server.

    SQLAlchemy 2.1 reads `postgresql://` as psycopg 3; here every Postgres URL means psycopg2.
    Raises StorageError for what is no Postgres URL; the message never repeats a password.
    """
    if configured.count("@") > 1:
        raise _unreadable("has more than one '@'", "write an '@' inside the password as %40")
    try:
        url = make_url(configured)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number, quoted in the text
        raise _unreadable("cannot be read", f"write it as {SHAPE}") from None
    scheme = url.drivername.partition("+")[0]
    if scheme not in ("postgres", "postgresql"):
        found = f"begins with '{scheme}', but Postgres is the only database"
        raise _unreadable(found, f"use {SHAPE}")
    return url.set(drivername=DRIVER).render_as_string(hide_password=False)


def check_reachable(url: str) -> None:
    """Return once the database behind the URL has answered; raise DatabaseUnreachable otherwise."""
    place = make_url(url)
    options = place.get_dialect()().create_connect_args(place)[1]
    try:
        psycopg2.connect(**{"connect_timeout": CONNECT_SECONDS, **options}).close()
    except psycopg2.Error as error:
        said, fix = _reason(error)
        raise DatabaseUnreachable(f"{_place(options)}: {said}", fix) from None


def _unreadable(problem: str, fix: str) -> StorageError:
    return StorageError(f"the database URL (SEARCH_DATABASE_URL) {problem}", fix)


def _place(options: Mapping[str, object]) -> str:
    """Name the database without its password."""
    host, port = options.get("host", "the default socket"), options.get("port", 5432)
    database, user = options.get("dbname", "the default"), options.get("user", "the default")
    return f"no connection to Postgres at {host}, port {port}, database {database}, user {user}"


def _reason(error: psycopg2.Error) -> tuple[str, str]:
    """Return why there is no connection, and the fix."""
    first_line = str(error).strip().partition("\n")[0]
    said = first_line.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
    fix = next((fix for words, fix in FIXES.items() if words in said), "correct the URL")
    return said, f"{fix}, or unset SEARCH_DATABASE_URL to use the built-in Postgres"
