"""A page that stays open: studies appear in it, its database goes and comes, its server as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from storage.store import Store
from tests.dashboards.browser.scenes import Scene, running
from tests.dashboards.browser.site import Site, new_site
from tests.dashboards.browser.test_states import walk
from tests.storage.network import Network

pytestmark = pytest.mark.slow

REFUSED = "net::ERR_"


@pytest.fixture(scope="module")
def network(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The only way from the dashboard to its database."""
    network = Network(url, tmp_path_factory.mktemp("net"))
    yield network
    network.cut()


@pytest.fixture(scope="module")
def site(
    url: str, network: Network, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A dashboard at the other end of the network; the store is not."""
    home: Path = tmp_path_factory.mktemp("site") / "home"
    with Store.open(url) as store, new_site(store, home, network.url, browser) as site:
        yield site


def test_an_open_page_follows_its_database_and_its_server(site: Site, network: Network) -> None:
    window = site.open("/")
    page = window.page
    expect(page.locator("main")).to_contain_text("search run --study gleason")
    assert walk(window) == []
    page.evaluate("globalThis.isSame = true")

    scene = running(site.store, site.artifacts, "open")
    expect(page.locator("#p-studies tbody tr", has_text="open")).to_contain_text("24 of 40")
    assert page.evaluate("globalThis.isSame")
    assert window.troubles == []

    _database_goes_and_comes(site, network, scene)
    _server_goes_and_comes(site, scene)


def _database_goes_and_comes(site: Site, network: Network, scene: Scene) -> None:
    window = site.open("/s/open")
    page, chip = window.page, window.page.locator("#p-head .chip").first
    expect(chip).to_have_text("Running")
    page.evaluate("globalThis.isSame = true")

    network.cut()
    expect(chip).to_have_text("Database away")
    expect(page.locator("#p-verdict")).to_contain_text("Database away since")
    expect(page.locator("main.stale #p-curves path.run")).to_have_count(3)  # still to be seen
    assert walk(window) == []
    other = site.open("/s/open").page
    expect(other.locator("#p-verdict")).to_contain_text("Database away since")
    unknown = site.open("/s/unread")
    expect(unknown.page.locator(".verdict.fail")).to_be_visible()  # and it asks again by itself

    network.mend()
    expect(chip).to_have_text("Running")
    expect(page.locator("main.stale")).to_have_count(0)
    assert page.evaluate("globalThis.isSame")
    assert window.troubles == []
    expect(unknown.page).to_have_title("Not found · search")
    assert [each for each in unknown.troubles if " 503 " not in each and " 404 " not in each] == []


def _server_goes_and_comes(site: Site, scene: Scene) -> None:
    window = site.open("/s/open")
    page, asked = window.page, list[Request]()
    age = page.locator("#live")
    expect(age).to_have_text("Live")
    page.evaluate("globalThis.isSame = true")
    page.on("request", lambda request: asked.append(request))

    site.stop()
    expect(age).to_contain_text("Not live")
    expect(page.locator("#p-verdict")).to_contain_text("3 of 3 workers train")
    page.wait_for_timeout(5000)
    assert len(asked) < 12  # it asks again, but does not hammer
    scene.hire("joan")
    scene.end("finished", worker="joan")
    site.start()

    expect(age).to_have_text("Live")
    expect(page.locator(".tile .big").first).to_contain_text("25 of 40")
    assert page.evaluate("globalThis.isSame")
    assert [trouble for trouble in window.troubles if REFUSED not in trouble] == []
