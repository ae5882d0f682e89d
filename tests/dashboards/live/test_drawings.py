"""Curves, attempts and events in a real browser, while a trial runs."""

import re

import pytest
from playwright.sync_api import Page, expect

from storage.rows import HandBackReason
from storage.store import Store
from tests.dashboards.conftest import begin

GROWN = 20_000  # ms for what comes every two seconds


@pytest.mark.slow
def test_a_curve_grows_and_a_choice_changes_the_address_without_a_reload(
    page: Page, store: Store
) -> None:
    troubles: list[str] = []
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/s/toy")
    page.evaluate("window.before = 1")
    curves = page.locator("#p-curves")
    expect(curves.get_by_role("img", name="open")).to_be_visible()

    claim = begin(store)  # the worker's running trial, which had its three epochs
    store.record(claim, 4, {"val_loss": 0.2}, 0.2, seconds=1.0, images=10)
    expect(curves.locator("tbody")).to_contain_text("4/", timeout=GROWN)

    plot = curves.locator("svg.plot")
    box = plot.bounding_box()
    assert box
    plot.hover(position={"x": box["width"] - 2, "y": 100})
    expect(curves.locator(".tip")).to_contain_text("#2 4/? · 0.2000")
    page.locator("#p-trials tr[data-href]").first.hover()
    expect(curves.locator("path.curve.hover")).to_have_count(1)
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("data:image/svg.*%232a5bd0"))
    curves.get_by_role("link", name="epoch", exact=True).click()
    expect(curves.get_by_role("link", name="epoch", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert page.url.endswith("?align=epoch")
    page.locator("#p-events").get_by_role("link", name="All").click()
    expect(page.locator("#p-events .ic.finished").first).to_be_visible()
    assert "events=all" in page.url
    assert page.evaluate("window.before") == 1
    page.go_back()
    expect(page.locator("#p-events .ic.finished")).to_have_count(0)
    assert page.url.endswith("?align=epoch")
    assert page.evaluate("window.before") == 1
    assert troubles == []


@pytest.mark.slow
def test_a_death_is_drawn_and_nothing_scrolls_sideways_on_a_phone(page: Page, store: Store) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/s/toy?t=0")
    expect(page.locator("#p-curves .asked, #p-curves .best").first).to_be_attached()

    store.end_leases("ada", HandBackReason.KILLED)
    expect(page.locator("#p-attempts .cross")).to_be_visible(timeout=GROWN)
    expect(page.locator("#p-events")).to_contain_text("its worker on host", timeout=GROWN)
    for path in ("/s/toy?t=0", "/s/toy/timeline"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
