"""An open store on a database of the test's own that holds the toy study."""

from collections.abc import Iterator

import pytest

from storage.store import Store
from tests.search.processes.toy_run import create_study


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as opened:
        create_study(opened)
        yield opened
