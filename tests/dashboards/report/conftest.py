"""A planted study of 1,000 trials with what its report says, and a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.report.facts import Facts, read_facts
from storage.store import Store
from tests.conftest import own_database
from tests.dashboards.report.planted import plant

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--no-first-run", "--disable-background-networking")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store without a study."""
    with Store.open(database_url) as store:
        yield store


@pytest.fixture(scope="session")
def large(database_server: str, template_url: str) -> Iterator[Store]:
    """A store with a planted study of 1,000 trials, for tests that only read."""
    with own_database(database_server, template_url) as url, Store.open(url) as store:
        plant(store, count=1000)
        yield store


@pytest.fixture(scope="session")
def facts(large: Store, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What the report of this study says."""
    return read_facts(large, "planted", str(tmp_path_factory.mktemp("artifacts")))
