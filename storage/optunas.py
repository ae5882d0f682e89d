"""Optuna's tables in a database: whose they are, and making them."""

from collections.abc import Iterator

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Enum, insert, text

from storage.errors import StorageError
from storage.optuna_inside import (
    SCHEMA_VERSION,
    optuna_scripts,
    optuna_tables,
    optuna_version,
    version_info,
)
from storage.rights import Rights
from storage.tables import OUR_FUNCTIONS, SCHEMA, metadata

STAMP = "alembic_version"  # Alembic's own table, which has the revision of Optuna's
UPGRADE = (
    "bring them up to date with `optuna storage upgrade"
    " --storage postgresql+psycopg2://USER:PASSWORD@HOST:5432/DATABASE`"
)
VISIBLE = text(
    """
    SELECT c.relname, array_agg(a.attname::text) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relname = ANY(:names) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY c.relname
    """
)
LABELS = text(
    """
    SELECT t.typname, array_agg(e.enumlabel::text) AS labels
    FROM pg_type t LEFT JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typname = ANY(:names) AND pg_type_is_visible(t.oid) GROUP BY t.typname
    """
)
# The schema of the studies that ours refer to, and of those that this role sees.
SCHEMAS = text(
    """
    SELECT theirs.relnamespace::regnamespace::text AS used, theirs.oid = seen AS is_seen
    FROM pg_constraint k JOIN pg_class theirs ON theirs.oid = k.confrelid,
        to_regclass('studies') AS seen
    WHERE k.contype = 'f' AND k.conrelid = to_regclass(:ours)
    """
)
MISSING = text("SELECT name FROM unnest(:names) AS name WHERE to_regclass(name) IS NULL")
FUNCTIONS = text(
    """
    SELECT name, to_regproc(name) IS NOT NULL AS is_there
    FROM unnest(:names) AS name
    WHERE has_function_privilege(to_regproc(name), 'EXECUTE') IS NOT TRUE
    """
)


def check_whole(connection: Connection, rights: Rights) -> None:
    """Raise StorageError unless every table and function is there for this role to use.

    The role must see those of Optuna's tables that ours mean.
    """
    found = connection.execute(SCHEMAS, {"ours": f"{SCHEMA}.studies"}).one_or_none()
    if found is not None and not found.is_seen:
        raise StorageError(
            f"the studies' tables are in the schema {found.used}, and role {rights.role} looks in"
            f" {rights.path}",
            rights.setting("search_path", str(found.used), rights.path_source),
        )
    names = [*metadata.tables, *optuna_tables.tables, STAMP]
    if missing := connection.scalars(MISSING, {"names": names}).first():
        raise StorageError(
            f"the table {missing} of database {rights.database} is gone",
            f"restore the database from a backup, or {rights.own_database}",
        )
    functions = [f"{SCHEMA}.{name}" for name in OUR_FUNCTIONS]
    for name, is_there in connection.execute(FUNCTIONS, {"names": functions}):
        if is_there:
            raise StorageError(
                f"role {rights.role} may not call the function {name} of database"
                f" {rights.database}",
                f"let its owner run `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO"
                f" {rights.role}`",
            )
        raise StorageError(
            f"the function {name} of database {rights.database} is gone",
            f"restore the database from a backup, or {rights.own_database}",
        )


def check_release(connection: Connection) -> None:
    """Raise StorageError where Optuna's tables are of another release than the installed one."""
    scripts, revisions = optuna_scripts(), _revisions(connection)
    if not revisions or revisions == {scripts.get_current_head()}:
        return
    is_older = revisions <= {script.revision for script in scripts.walk_revisions()}
    raise StorageError(
        f"the tables of Optuna in this database are at revision {', '.join(revisions)}, and Optuna"
        f" {optuna_version} needs {scripts.get_current_head()}",
        UPGRADE if is_older else "install the newer Optuna that brought them there",
    )


def are_there(connection: Connection) -> bool:
    """Say whether all of Optuna's tables are there, or others of their names."""
    names = {STAMP, *optuna_tables.tables}
    return {name for name, _ in connection.execute(VISIBLE, {"names": list(names)})} == names


def check_free(connection: Connection, rights: Rights) -> None:
    """Raise StorageError where tables of an older Optuna or of others are in the way."""
    foreign = next(_foreign(connection), None)
    heads = set() if foreign == STAMP else _revisions(connection)
    scripts = optuna_scripts()
    other = heads - {scripts.get_current_head()}
    library = None if foreign == version_info.name else _library(connection)
    is_known = bool(other) and other <= {script.revision for script in scripts.walk_revisions()}
    where = f"schema {rights.schema} of database {rights.database}"
    if is_known or (library and (other or _is_ancient(connection))):
        raise StorageError(
            f"{where} has the tables of Optuna {library or 'before 5'}, and search needs those of"
            f" Optuna {optuna_version}",
            f"{rights.own_database}, or {UPGRADE}",
        )
    if other or foreign:
        raise StorageError(
            f"{where} has another program's {foreign or STAMP!r}, a name that Optuna needs",
            rights.own_database,
        )


def make_tables(connection: Connection) -> None:
    """Make Optuna's tables in this transaction, those that are not there yet, as Optuna does."""
    optuna_tables.create_all(connection)
    if _library(connection) is None:
        row = {"schema_version": SCHEMA_VERSION, "library_version": optuna_version}
        connection.execute(insert(version_info).values(version_info_id=1, **row))
    context = MigrationContext.configure(connection)
    if not context.get_current_heads():
        context.stamp(optuna_scripts(), "head")


def _foreign(connection: Connection) -> Iterator[str]:
    """Yield the visible tables and types that have names of Optuna's and other content."""
    wanted = {table.name: {*table.columns.keys()} for table in optuna_tables.sorted_tables}
    wanted[STAMP] = {"version_num"}
    for name, columns in connection.execute(VISIBLE, {"names": list(wanted)}):
        if not wanted[name] <= {*columns}:
            yield name
    kinds = {
        str(column.type.name): {*column.type.enums}
        for table in optuna_tables.sorted_tables
        for column in table.columns
        if isinstance(column.type, Enum)
    }
    for name, labels in connection.execute(LABELS, {"names": list(kinds)}):
        if not kinds[name] <= {*labels}:
            yield name


def _revisions(connection: Connection) -> set[str]:
    return {*MigrationContext.configure(connection).get_current_heads()}


def _library(connection: Connection) -> str | None:
    """Return the release of Optuna that made the tables; None where there is no note of it."""
    if not connection.scalar(text("SELECT to_regclass('version_info')")):
        return None
    found = connection.scalar(text("SELECT library_version FROM version_info"))
    return None if found is None else str(found)


def _is_ancient(connection: Connection) -> bool:
    """Say whether the tables are of an Optuna that had no revisions yet."""
    noted = connection.scalar(text("SELECT schema_version FROM version_info"))
    return noted is not None and noted != SCHEMA_VERSION and not _revisions(connection)
