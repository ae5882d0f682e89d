"""The pages of a study of many trials, answered in the test's own process."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboards.app import build_app
from dashboards.live.source import Source
from storage.store import Store


@pytest.fixture
def pages(store: Store, home: Path) -> Iterator[TestClient]:
    """A program that asks the pages of the store, without a server between."""
    source = Source(store, str(home / "artifacts"), home / "logs", lambda: nullcontext(store))
    with TestClient(build_app(source)) as client:
        yield client
