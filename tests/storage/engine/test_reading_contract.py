"""The storage for readers keeps Optuna's contract for storages, by Optuna's own tests."""

from collections.abc import Iterator

import pytest
from optuna.storages import BaseStorage
from optuna.testing.pytest_storages import StorageTestCase
from sqlalchemy import text

from tests.conftest import own_database
from tests.storage.engine.written_by_optuna import WrittenByOptuna


@pytest.fixture(scope="module")
def shared_storage(database_server: str, template_url: str) -> Iterator[WrittenByOptuna]:
    """One storage for all tests, so that each also follows on what the others left in memory."""
    with own_database(database_server, template_url) as url:
        yield WrittenByOptuna(url)


@pytest.fixture
def storage(shared_storage: WrittenByOptuna) -> Iterator[BaseStorage]:
    """The storage of a database without studies."""
    yield shared_storage
    with shared_storage.engine.begin() as connection:
        connection.execute(text("TRUNCATE studies CASCADE"))


class TestReading(StorageTestCase):
    """Every test of Optuna's contract."""
