"""The pages of a study of 10,000 trials."""

import gzip
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import expect

from tests.dashboards.browser.conftest import Open
from tests.dashboards.browser.site import Site
from tests.dashboards.report.planted import STUDY, plant

pytestmark = pytest.mark.slow

COUNT = 10_000
MOST_BYTES = 40_000  # of a page, packed
MOST_NODES = 4000


@pytest.fixture(scope="module", autouse=True)
def large(site: Site) -> None:
    """A study of 10,000 ended trials and one of 50."""
    for name, count in (("large", COUNT), ("small", 50)):
        plant(site.store, replace(STUDY, name=name, trials=COUNT), count=count)


def test_ten_thousand_trials_are_shown_in_as_much_page_as_fifty(site: Site, look: Open) -> None:
    page = look("/s/large").page

    expect(page.locator(".tile .big").first).to_contain_text("10,000 of 10,000")
    expect(page.locator("#p-trials tbody tr[data-href]")).to_have_count(10)
    expect(page.locator("#p-history svg.history")).to_be_visible()
    expect(page.locator("#p-evidence .param")).to_have_count(8)
    expect(page.locator("text=cannot be drawn")).to_have_count(0)
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_NODES
    for name in ("large", "small"):
        whole = httpx.get(f"{site.address}/s/{name}", timeout=60).content
        assert len(gzip.compress(whole)) < MOST_BYTES


def test_every_trial_is_on_a_page_of_two_hundred(look: Open) -> None:
    window = look("/s/large/trials")
    page = window.page
    rows = page.locator("tbody tr[data-href]")

    expect(rows).to_have_count(200)
    page.get_by_role("link", name="after", exact=True).click()
    expect(page.locator(".foot")).to_contain_text("201 to 400")
    expect(rows.first).to_contain_text("9799")
