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
PAGES = ("trials", "timeline", "data", "logs")


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
    name = f"of_{page}"
    STATES["running"](site.store, site.artifacts, name)

    window = look(f"/s/{name}/{page}")

    expect(window.page.locator(".tabs [aria-current=page]")).to_have_count(1)
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
    for number, (size, theme) in enumerate(product(SIZES, THEMES)):
        window.show(size, theme)
        found = window.barriers(OF_LOOKS if number else ())
        wrong += [f"{size}, {theme}: {each}" for each in found]
        if (pixels := window.overhang()) > 0:
            wrong.append(f"{size}, {theme}: {pixels} pixels wider than the window")
    return wrong
