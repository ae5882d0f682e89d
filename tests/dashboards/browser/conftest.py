"""One browser and one dashboard for the tests of a module."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from storage.store import Store
from tests.conftest import own_database
from tests.dashboards.browser.site import Site, Window
from tests.dashboards.conftest import served_here

Open = Callable[..., Window]


@pytest.fixture(scope="module")
def url(database_server: str, template_url: str) -> Iterator[str]:
    """The URL of a database of this module's own, without studies."""
    with own_database(database_server, template_url) as url:
        yield url


@pytest.fixture(scope="module")
def site(url: str, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The dashboard of this module, on a database without studies."""
    home: Path = tmp_path_factory.mktemp("home")
    with Store.open(url) as store, served_here(home, url) as address:
        yield Site(store=store, home=home, url=url, browser=browser, address=address)


@pytest.fixture
def look(site: Site) -> Iterator[Open]:
    """Open pages; afterwards nothing may have gone wrong in one of them."""

    def look(path: str, **options: Any) -> Window:
        return site.open(path, **options)

    yield look
    troubles = [trouble for window in site.windows for trouble in window.troubles]
    for window in site.windows:
        window.page.context.close()
    site.windows.clear()
    assert troubles == []
