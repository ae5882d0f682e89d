"""The rights of a role in its database, and the statement that gives it a missing one."""

from dataclasses import dataclass

from psycopg2.errors import (
    DiskFull,
    InsufficientPrivilege,
    LockNotAvailable,
    QueryCanceled,
    ReadOnlySqlTransaction,
    UntranslatableCharacter,
)
from sqlalchemy import Connection, text

from storage.errors import DatabaseUnreachable, StorageError
from storage.tables import SCHEMA, VIEWS

SHORTEST_STATEMENT = 1_000  # ms; reading the trials of a large study takes some hundred

FACTS = text(
    """
    SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
        current_schema() AS schema, quote_ident(current_schema()) AS quoted_schema,
        path.setting AS path, path.source AS path_source,
        writes.setting = 'on' AS is_read_only, writes.source AS read_only_source,
        pg_is_in_recovery() AS is_standby, slow.reset_val::integer AS statement_ms,
        has_database_privilege(current_database(), 'CREATE') AS may_make_schemas,
        has_schema_privilege(current_schema(), 'CREATE') AS may_make_optunas,
        (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = :ours)
            AS may_make_ours,
        (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = :views)
            AS may_make_views,
        (SELECT CASE WHEN NOT pg_has_role(relowner, 'USAGE') THEN relowner::regrole::text END
            FROM pg_class WHERE relnamespace = (
                SELECT oid FROM pg_namespace WHERE nspname = :ours) AND relname = 'studies')
            AS other_owner,
        (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'public')
            AS may_use_public,
        (SELECT min(quote_ident(nspname)) FROM pg_namespace WHERE nspname IN (
            SELECT replace(trim(BOTH ' "' FROM name), '$user', current_user)
            FROM unnest(string_to_array(path.setting, ',')) AS name)) AS named_schema
    FROM pg_settings path, pg_settings writes, pg_settings slow
    WHERE path.name = 'search_path' AND writes.name = 'transaction_read_only'
        AND slow.name = 'statement_timeout'
    """
)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """A role, quoted where its name needs it, in its database, with its settings and rights there.

    schema: where Optuna's tables go; None where no schema on the path may be used.
    path, path_source: its search_path, and where that is set, such as "user" or "client".
    statement_ms: when a statement of the role is cancelled; 0 is never.
    may_make_ours, may_make_views: whether it may create in our schemas; None where one is missing.
    other_owner: the role that owns our tables; None where this one does, or there are none.
    may_use_public: None where there is no schema of that name.
    named_schema: a schema on the path that is there, whether or not it may be used.
    """

    role: str
    database: str
    schema: str | None
    quoted_schema: str | None
    path: str
    path_source: str
    is_read_only: bool
    read_only_source: str
    is_standby: bool
    statement_ms: int
    may_make_schemas: bool
    may_make_optunas: bool | None
    may_make_ours: bool | None
    may_make_views: bool | None
    other_owner: str | None
    may_use_public: bool | None
    named_schema: str | None

    def setting(self, name: str, value: str, source: str) -> str:
        """Return the fix that gives this role a setting.

        source: where its present value is set.
        """
        if source == "client":
            return f"set {name} = {value} in the options of the URL, or in PGOPTIONS"
        return f"run `ALTER ROLE {self.role} IN DATABASE {self.database} SET {name} = {value}`"

    @property
    def own_database(self) -> str:
        """The fix where the tables of others are in the way."""
        return f"give search a database of its own: `CREATE DATABASE search OWNER {self.role}`"


def read_rights(connection: Connection) -> Rights:
    """Read the role's rights; StorageError for settings under which no table can be found."""
    rights = Rights(**connection.execute(FACTS, {"ours": SCHEMA, "views": VIEWS}).mappings().one())
    if rights.schema is None:
        path = rights.path if rights.path.strip('" ') else "empty"
        raise StorageError(
            f"no schema on the search_path of role {rights.role} ({path}) is there and may be used",
            _way_to_a_schema(rights),
        )
    if rights.schema == SCHEMA:
        raise StorageError(
            f"this role works in the schema {SCHEMA}, where Optuna's tables must not go",
            rights.setting("search_path", "public", rights.path_source),
        )
    if 0 < rights.statement_ms < SHORTEST_STATEMENT:
        raise StorageError(
            f"the server cancels every statement of role {rights.role} after"
            f" {rights.statement_ms} ms (statement_timeout)",
            rights.setting("statement_timeout", "'10s'", "user"),
        )
    return rights


def _way_to_a_schema(rights: Rights) -> str:
    owner = "let the database's owner run"
    if rights.named_schema:
        return f"{owner} `GRANT USAGE, CREATE ON SCHEMA {rights.named_schema} TO {rights.role}`"
    if rights.may_use_public:
        return rights.setting("search_path", "public", rights.path_source)
    made = f"{owner} `CREATE SCHEMA {rights.role} AUTHORIZATION {rights.role}`"
    return f"{made}, then {rights.setting('search_path', rights.role, rights.path_source)}"


def check_may_create(rights: Rights, needs_optunas: bool) -> None:
    """Raise StorageError, with the way out, where the role may not make or change the tables.

    needs_optunas: whether Optuna's are to be made as well.
    """
    if rights.is_standby:
        raise StorageError(
            "this server is a standby, which takes no writes", "give the primary's address"
        )
    if rights.is_read_only:
        raise StorageError(
            f"the tables must be made or changed, and role {rights.role} may only read"
            " (default_transaction_read_only is on)",
            rights.setting("default_transaction_read_only", "off", rights.read_only_source),
        )
    if rights.other_owner:
        raise StorageError(
            f"the tables must be changed, which their owner {rights.other_owner} may do, and role"
            f" {rights.role} not",
            f"run `search status` of this version once as {rights.other_owner}",
        )
    grants = []
    ours = {SCHEMA: rights.may_make_ours, VIEWS: rights.may_make_views}
    if None in ours.values() and not rights.may_make_schemas:
        grants.append(f"`GRANT CREATE ON DATABASE {rights.database} TO {rights.role}`")
    grants += [
        f"`GRANT ALL ON SCHEMA {schema} TO {rights.role}`"
        for schema, may_create in ours.items()
        if may_create is False
    ]
    if needs_optunas and not rights.may_make_optunas:
        grants.append(f"`GRANT CREATE ON SCHEMA {rights.quoted_schema} TO {rights.role}`")
    if grants:
        raise StorageError(
            f"role {rights.role} may not create the tables in database {rights.database}",
            f"let the database's owner run {' and '.join(grants)}",
        )


def refusal(error: BaseException | None, role: str) -> StorageError | None:
    """Return the error for a statement that the server refused this role; None for any other.

    role: its name, quoted where it needs it.
    """
    reason = str(error).strip().partition("\n")[0]
    match error:
        case InsufficientPrivilege():
            return StorageError(
                f"role {role} lacks a right in the database ({reason})",
                "run the command as the owner of the tables, or let the owner grant the right;"
                " docs/operations.md lists those of a worker",
            )
        case ReadOnlySqlTransaction():
            # Often for a moment only: while a standby takes over, or until a full disk has room.
            return DatabaseUnreachable(
                f"role {role} may only read the database, or this server is a standby ({reason})",
                "give a role that may write, or the primary's address",
            )
        case LockNotAvailable():
            return DatabaseUnreachable(
                f"another session keeps rows of the study locked ({reason})",
                "end its transaction: `SELECT pid, application_name, query FROM pg_stat_activity"
                " WHERE xact_start < now() - interval '5 s'` lists it",
            )
        case DiskFull():
            return DatabaseUnreachable(
                f"the disk of the database is full ({reason})", "free some room on the server"
            )
        case UntranslatableCharacter():
            return StorageError(
                f"the database cannot store a character in its encoding ({reason})",
                "use a database that was made with ENCODING 'UTF8'",
            )
        case QueryCanceled():
            return DatabaseUnreachable(
                f"the server cancelled a statement ({reason})",
                f"try again; where role {role} has a statement_timeout below 10 s, run"
                f" `ALTER ROLE {role} SET statement_timeout = '10s'`",
            )
    return None
