"""The connections that processes hold to the database, and the number that the server allows."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.transaction import brief_engine, transaction

OF_A_WORKER = 2  # its main thread's, which also listens, and its beat's
OF_A_DASHBOARD = 4  # pages that are read at a time; the others wait
OF_ITS_MESSAGES = 1  # what it reads for them, beside these
OF_A_CHANGE = 1  # while a writer of a page changes something, beside these
OF_A_RUN = 1 + OF_A_DASHBOARD  # beside its workers: the supervisor, and its dashboard

# Of three limits the one that leaves the least room. A role may read these columns of other roles'
# connections too, but not their kind: the server's own processes have no user or no database.
ROOM = text("""WITH others AS (
    SELECT usesysid, datid FROM pg_stat_activity
     WHERE usesysid IS NOT NULL AND datid IS NOT NULL AND application_name <> 'search'
), limits AS (
    SELECT current_setting('max_connections')::integer
           - current_setting('superuser_reserved_connections')::integer
           - coalesce(current_setting('reserved_connections', true)::integer, 0) AS allowed,
           (SELECT count(*) FROM others) AS others, 'max_connections' AS setting
     UNION ALL
    SELECT rolconnlimit, (SELECT count(*) FROM others WHERE usesysid = oid),
           format('the CONNECTION LIMIT of role %I', rolname)
      FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
     UNION ALL
    SELECT datconnlimit, (SELECT count(*) FROM others WHERE datid = oid),
           format('the CONNECTION LIMIT of database %I', datname)
      FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
)
SELECT allowed, others, setting FROM limits ORDER BY allowed - others LIMIT 1""")


@dataclass(frozen=True)
class Room:
    """The connections that the server allows to this role, and those that other programs have.

    setting: the name of the limit that leaves the least room.
    """

    allowed: int
    others: int
    setting: str


def read_room(url: str) -> Room:
    """Read how many connections the server behind a URL allows."""
    engine = brief_engine(url)
    with transaction(engine) as connection:
        return Room(**connection.execute(ROOM).mappings().one())
