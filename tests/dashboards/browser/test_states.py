"""Every state of a study, in both themes, wide and on a phone."""

from itertools import product

import pytest
from playwright.sync_api import expect

from tests.dashboards.browser.conftest import Open
from tests.dashboards.browser.scenes import STATES
from tests.dashboards.browser.site import OF_LOOKS, SIZES, THEMES, Site, Window

pytestmark = pytest.mark.slow

SAID = {
    "waiting": ("Waiting", "no worker has registered yet"),
    "starting": ("Starting", "no epoch is over yet"),
    "running": ("Running", "3 of 3 workers train"),
    "stalled": ("Stalled", "has made no step"),
    "stopped": ("Stopped", "Stopped by request."),
    "failed": ("Failed", "no kernel"),
    "finished": ("Finished", "search export --study finished"),
    "practice": ("Finished", "6 of 6 trials have ended"),
}
PAGES = ("trials", "t/1", "t/25", "compare?t=1,4", "timeline", "data", "logs")


@pytest.mark.parametrize("state", SAID)
def test_a_state_is_named_and_told_without_barriers(site: Site, look: Open, state: str) -> None:
    STATES[state](site.store, site.artifacts, state)
    word, sentence = SAID[state]

    window = look(f"/s/{state}")

    expect(window.page.locator("#p-head .chip").first).to_have_text(word)
    expect(window.page.locator("#p-verdict")).to_contain_text(sentence)
    expect(window.page.locator("text=cannot be drawn")).to_have_count(0)
    expect(window.page.locator(".practice")).to_have_count(1 if state == "practice" else 0)
    assert walk(window) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_other_pages_of_a_study_have_no_barriers(site: Site, look: Open, page: str) -> None:
    if "walked" not in [row.name for row in site.store.studies()]:
        STATES["running"](site.store, site.artifacts, "walked")

    window = look(f"/s/walked/{page}")

    expect(window.page.locator("#p-head h1")).to_contain_text("walked")
    assert walk(window) == []


def test_the_list_has_a_row_for_every_study(site: Site, look: Open) -> None:
    for state in ("stopped", "running"):
        STATES[state](site.store, site.artifacts, f"listed_{state}")

    window = look("/")

    rows = window.page.locator("#p-studies tbody tr", has_text="listed_")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="listed_running")).to_contain_text("24 of 40")
    assert walk(window) == []


def walk(window: Window) -> list[str]:
    """Look at a page in every size and theme; return what is wrong with it."""
    wrong = []
    for size, theme in product(SIZES, THEMES):
        window.show(size, theme)
        found = window.barriers(OF_LOOKS[size, theme])
        wrong += [f"{size}, {theme}: {each}" for each in found]
        if (pixels := window.overhang()) > 0:
            wrong.append(f"{size}, {theme}: {pixels} pixels wider than the window")
    return wrong
