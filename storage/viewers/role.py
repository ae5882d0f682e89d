"""A role that may only read, for viewers."""

from typing import Any

from sqlalchemy import Connection, Row, make_url, text

from storage.errors import StorageError
from storage.optuna_inside import optuna_tables
from storage.optunas import STAMP
from storage.schema import OPENING
from storage.tables import SCHEMA, VIEWS
from storage.transaction import advisory_lock, brief_engine, transaction

ROLE = "search_viewer"

# Every table and view that a reader reads, ours and Optuna's, wherever ours say that these are. The
# catalog alone is asked: a role may not look up a name in a schema that is closed to it.
READ = """SELECT n.oid AS schema_id, n.nspname, c.oid AS table_id, c.relname, c.relowner
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v') AND (n.nspname = :ours OR c.relname = ANY(:optunas)
       AND c.relnamespace IN (
           SELECT theirs.relnamespace FROM pg_constraint k
             JOIN pg_class theirs ON theirs.oid = k.confrelid
             JOIN pg_class studies ON studies.oid = k.conrelid AND studies.relname = 'studies'
            WHERE k.contype = 'f' AND studies.relnamespace = (
                  SELECT oid FROM pg_namespace WHERE nspname = :ours)))"""
TABLES = text(f"SELECT format('%I.%I', nspname, relname) FROM ({READ}) t ORDER BY 1")
SCHEMAS = text(f"SELECT DISTINCT format('%I', nspname) FROM ({READ}) t ORDER BY 1")
CLOSED = text(f"""SELECT format('%I', nspname) AS schema, format('%I.%I', nspname, relname) AS name,
       format('%I', CAST(:role AS text)) AS role
  FROM ({READ}) t
 WHERE NOT has_schema_privilege(:role, schema_id, 'USAGE')
    OR NOT has_table_privilege(:role, table_id, 'SELECT') ORDER BY 2""")
NAMES = {"ours": SCHEMA, "optunas": [*optuna_tables.tables, STAMP]}

MAKER = text(f"""SELECT format('%I', rolname) AS name,
       EXISTS (SELECT FROM pg_roles WHERE rolname = :role) AS is_made,
       rolsuper OR rolcreaterole AS may_make,
       (SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM ({READ}) t) AS may_grant
  FROM pg_roles WHERE rolname = current_user""")
MAKE = (
    f"CREATE ROLE {ROLE} LOGIN",
    f"ALTER ROLE {ROLE} SET default_transaction_read_only = on",
    f"ALTER ROLE {ROLE} SET statement_timeout = '5s'",
)


def make_viewer(url: str) -> str:
    """Return the URL with the role `search_viewer`, which may only read; it is made where missing.

    For a server whose roles come in without a password, as the embedded Postgres has it. Raises
    StorageError where the URL's own role may not make another one.
    """
    engine = brief_engine(url)
    with transaction(engine) as connection:
        check_there(connection)
        if not _may_read(connection):
            advisory_lock(connection, OPENING)
            _make(connection)
    return make_url(url).set(username=ROLE).render_as_string(hide_password=False)


def check_there(connection: Connection) -> None:
    """Raise StorageError where there are no tables of ours."""
    if connection.scalars(TABLES, NAMES).first() is None:
        raise StorageError(
            "the database has no tables of search",
            "start a study there first, such as `search run --study digits`",
        )


def closed_table(connection: Connection, role: str) -> Row[Any] | None:
    """Return the first table that a role may not read, with its schema and the role's name."""
    return connection.execute(CLOSED, {**NAMES, "role": role}).first()


def _may_read(connection: Connection) -> bool:
    return _maker(connection).is_made and closed_table(connection, ROLE) is None


def _make(connection: Connection) -> None:
    maker = _maker(connection)
    if not (maker.may_grant and (maker.is_made or maker.may_make)):
        raise StorageError(
            f"role {maker.name} may not make the role {ROLE}, which may only read",
            "let an administrator make such a role (docs/operations.md, Viewers)",
        )
    for statement in () if maker.is_made else MAKE:
        connection.execute(text(statement))
    schemas = ", ".join([*connection.scalars(SCHEMAS, NAMES), VIEWS])
    tables = ", ".join(connection.scalars(TABLES, NAMES))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schemas} TO {ROLE}"))
    connection.execute(text(f"GRANT SELECT ON {tables} TO {ROLE}"))


def _maker(connection: Connection) -> Row[Any]:
    """Read what the connection's role may do about the role of viewers."""
    return connection.execute(MAKER, {**NAMES, "role": ROLE}).one()
