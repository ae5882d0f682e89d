"""How many connections the server has left for us."""

import pytest
from sqlalchemy import make_url

from storage.connections import read_room
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
