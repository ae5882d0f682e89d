"""The pages in a browser: the list of studies, a study's page, and no error without a study."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dashboards.note import study_note, write_note
from storage.store import Store

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def page(client: httpx.Client) -> Iterator[Page]:
    """A page of a real browser, for the dashboard of the store."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_page(base_url=str(client.base_url))
        browser.close()


@pytest.mark.slow
def test_the_study_its_curves_and_its_note_are_shown_without_an_error(
    page: Page, store: Store
) -> None:
    row = store.study("toy")
    write_note(store, row.name, study_note(row.definition, {}))
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)

    page.goto("/dashboard")
    page.get_by_role("link", name="toy").click()
    curves = page.locator("#graph-intermediate-values")
    expect(curves.get_by_text("trial #2 (running)")).to_be_visible()
    expect(curves.locator(".scatterlayer .js-line")).to_have_count(3)
    page.locator("a[href$='/note']").click()
    expect(page.get_by_text(row.definition["study"]["about"])).to_be_visible()
    expect(page.get_by_role("cell", name="learning_rate")).to_be_visible()

    expect(page.get_by_role("alert")).to_have_count(0)
    assert errors == []


@pytest.mark.slow
def test_deleting_a_study_in_the_browser_is_refused(page: Page, store: Store) -> None:
    page.goto("/dashboard")

    page.get_by_role("button", name="delete study").click()
    page.get_by_role("button", name="yes").click()

    expect(page.get_by_role("alert")).to_have_text("Failed to delete study (id=1)")
    assert [study.name for study in store.studies()] == ["toy"]
    assert len(store.trials("toy")) == 3
