"""What a person sees in a browser: the studies, their curves and notes, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dashboards.note import study_note, write_note
from storage.store import Store

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOAST = ".notistack-MuiContent-error"
SECONDS = 1000  # playwright counts in milliseconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no browser: apt-get install chromium"),
]


@pytest.fixture
def page(store: Store, client: httpx.Client) -> Iterator[Page]:
    """The dashboard's first page in a browser, with one study in it."""
    write_note(store, "toy", study_note(store.study("toy").definition, {}))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(60 * SECONDS)  # one core for the server and the browser
        expect.set_options(timeout=60 * SECONDS)
        page.goto(str(client.base_url))
        yield page
        browser.close()


def test_a_study_is_shown_with_its_curves_and_its_note(page: Page) -> None:
    policed: list[str] = []
    page.on("console", lambda said: policed.append(said.text) if said.type == "error" else None)

    page.get_by_text("1. toy").click()
    expect(page.locator(".js-plotly-plot .point").first).to_be_attached()
    page.goto(f"{page.url}/note")
    expect(page.get_by_text("Where does the toy's loss fall best?")).to_be_visible()
    expect(page.get_by_role("cell", name="0.0001 to 1, log")).to_be_visible()

    assert page.locator(TOAST).count() == 0
    assert policed == []


def test_a_study_cannot_be_deleted_in_the_browser(page: Page, store: Store) -> None:
    page.get_by_label("delete study").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()

    expect(page.locator(TOAST)).to_have_text("Failed to delete study (id=1)")
    assert [study.name for study in store.studies()] == ["toy"]
