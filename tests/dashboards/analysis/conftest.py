"""An open store on a database of the test's own."""

from collections.abc import Iterator

import pytest

from storage.store import Store


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store.open(database_url) as store:
        yield store
