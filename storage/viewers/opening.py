"""A reader for viewers, which can write nothing."""

from sqlalchemy import Connection, make_url, text

from storage.connections import OF_A_DASHBOARD
from storage.engine.reading import ReadingStorage
from storage.errors import StorageError
from storage.optunas import check_release, check_whole
from storage.reader import StoreReader
from storage.rights import read_rights
from storage.schema import head, revision
from storage.transaction import transaction, viewing_engine
from storage.viewers.role import check_there, closed_table


def open_reader(url: str, connections: int = OF_A_DASHBOARD) -> StoreReader:
    """Open a reader on the tables behind a URL; nothing is made, changed or written.

    Each of its transactions is READ ONLY, and a statement ends after 5 s. Raises StorageError
    where the tables are missing, of another search, or closed to the URL's role.

    connections: the most that this process has to the database at a time.
    """
    engine = viewing_engine(make_url(url), connections)
    try:
        with transaction(engine) as connection:
            _check_readable(connection)
    except BaseException:
        engine.dispose()
        raise
    return StoreReader(engine, ReadingStorage(engine))


def _check_readable(connection: Connection) -> None:
    rights = read_rights(connection)
    check_there(connection)
    role = connection.scalar(text("SELECT current_user"))
    if closed := closed_table(connection, str(role)):
        raise StorageError(
            f"role {closed.role} may not read {closed.name} of database {rights.database}",
            f"let its owner run `GRANT USAGE ON SCHEMA {closed.schema} TO {closed.role}` and"
            f" `GRANT SELECT ON ALL TABLES IN SCHEMA {closed.schema} TO {closed.role}`",
        )
    if (present := revision(connection)) != head():
        raise StorageError(
            f"the database is at revision {present} of another search; this one is at {head()}",
            "upgrade the older one, then run its `search status`, which brings the tables up to"
            " date",
        )
    check_whole(connection, rights)
    check_release(connection)
