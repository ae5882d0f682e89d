"""The connections that processes hold to the database, and the number that the server allows."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.transaction import brief_engine, transaction

OF_A_WORKER = 2  # its main thread's, which also listens, and its beat's
OF_A_DASHBOARD = 4  # pages that are read at a time; the others wait
OF_A_RUN = 1 + OF_A_DASHBOARD  # beside its workers: the supervisor, and its dashboard

ROOM = text("""SELECT least(
       current_setting('max_connections')::integer
       - current_setting('superuser_reserved_connections')::integer
       - coalesce(current_setting('reserved_connections', true)::integer, 0),
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()))
       AS allowed,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND application_name <> 'search') AS others""")


@dataclass(frozen=True)
class Room:
    """The connections that the server allows to this role, and those that other programs have."""

    allowed: int
    others: int


def read_room(url: str) -> Room:
    """Read how many connections the server behind a URL allows."""
    engine = brief_engine(url)
    with transaction(engine) as connection:
        return Room(**connection.execute(ROOM).mappings().one())
