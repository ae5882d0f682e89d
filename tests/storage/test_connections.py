"""How many connections the server has left for us."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from storage.connections import read_room
from storage.errors import DatabaseUnreachable
from storage.postgres.url import check_reachable
from storage.schema import open_backend
from tests.storage.bouncer import pgbouncer
from tests.storage.conftest import Sql


@pytest.mark.usefixtures("store")
def test_a_role_without_rights_counts_the_connections_of_other_programs(
    sql: Sql, database_url: str
) -> None:
    sql("CREATE ROLE visitor LOGIN")
    url = make_url(database_url).set(username="visitor").render_as_string()
    try:
        free = read_room(url)
        assert free.setting == "max_connections"
        assert free.others >= 1  # the one of `sql`
        sql("ALTER ROLE visitor CONNECTION LIMIT 30")
        limited = read_room(url)
        assert (limited.allowed, limited.others) == (30, 0)
        assert limited.setting == "the CONNECTION LIMIT of role visitor"
    finally:
        sql("DROP ROLE visitor")


@pytest.mark.parametrize("connect", [check_reachable, open_backend])
def test_a_full_pgbouncer_is_told_with_the_setting_that_helps(
    connect: Callable[[str], object], database_url: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PgBouncer runs as the server's user
        with pgbouncer(database_url, Path(folder), clients=1) as url:
            only = psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string())
            with pytest.raises(DatabaseUnreachable, match="raise PgBouncer's max_client_conn"):
                connect(url)
            only.close()
