"""Reading a study's page: without script, by keyboard, enlarged, in a chosen theme, by address."""

import re
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from storage.locks import wait_until
from tests.dashboards.browser.conftest import Open
from tests.dashboards.browser.scenes import Scene, running
from tests.dashboards.browser.site import Site

pytestmark = pytest.mark.slow

ADDRESS = "/s/read"
FOCUS_LINE = "getComputedStyle(document.activeElement).outlineStyle"
FOCUSED = "document.activeElement.getAttribute('href')"


@pytest.fixture(scope="module", autouse=True)
def scene(site: Site) -> Scene:
    """A study in which three workers train."""
    return running(site.store, site.artifacts, "read")


def best_rows(page: Page) -> list[str]:
    """Return the addresses of the trials in the table."""
    rows: list[str] = page.locator("#p-trials tr[data-href]").evaluate_all(
        "all => all.map(one => one.dataset.href)"
    )
    return rows


def test_without_script_the_page_says_everything(look: Open) -> None:
    page = look(ADDRESS, java_script_enabled=False).page

    expect(page.locator("#p-verdict")).to_contain_text("3 of 3 workers train")
    expect(page.locator(".tile .big").first).to_contain_text("24 of 40")
    expect(page.locator("#p-trials tbody tr[data-href]")).to_have_count(10)
    expect(page.locator("#p-curves path.curve.run")).to_have_count(3)
    expect(page.locator("#p-trials svg.whisker")).to_have_count(10)
    expect(page.locator("#p-attempts rect.box")).not_to_have_count(0)
    expect(page.locator("#p-evidence .param")).to_have_count(6)
    expect(page.locator("#p-classes .class")).to_have_count(4)
    expect(page.locator("#theme, #keys, #live")).to_have_count(3)
    for button in page.locator("#theme, #keys, #live").all():
        expect(button).to_be_hidden()  # they would do nothing

    page.get_by_role("link", name="epoch", exact=True).click()
    expect(page).to_have_url(re.compile(r"align=epoch$"))
    expect(page.locator("#p-curves [aria-current]", has_text="epoch")).to_be_visible()


def test_ages_are_right_where_the_viewers_clock_is_wrong(look: Open) -> None:
    page = look(ADDRESS).page
    ages = page.locator("#p-workers time[data-as=ago]")
    for hours in (0, 3, -3):
        page.clock.set_system_time(time.time() + 3600 * hours)
        page.reload()
        expect(ages).to_have_text([re.compile(r"^[1-9]\d* (s|min) ago$")] * 3)


def test_keys_step_through_the_rows_and_open_one(look: Open) -> None:
    page = look(ADDRESS).page
    rows = best_rows(page)

    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == rows[row]
        assert page.evaluate(FOCUS_LINE) == "solid"
    page.keyboard.press("j")
    with page.expect_navigation(url=re.compile(f"{rows[1]}$"), wait_until="commit"):
        page.keyboard.press("Enter")


def test_keys_are_told_and_lead_to_the_list(look: Open) -> None:
    page = look(ADDRESS).page

    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    assert wait_until(lambda: leads_to_the_list(page), 100)


def leads_to_the_list(page: Page) -> bool:
    """Press the two keys; a page that renews itself between them has forgotten the first."""
    page.keyboard.press("g")
    page.keyboard.press("s")
    with suppress(AssertionError):
        expect(page.locator("h1")).to_have_text("Studies", timeout=20_000)
        return True
    return False


def test_the_tab_key_goes_through_the_page_in_the_order_of_reading(look: Open) -> None:
    page = look(ADDRESS).page

    passed = []
    for _ in range(14):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_LINE) == "solid"
        passed.append(page.evaluate("document.activeElement.textContent.trim()"))

    assert passed[0] == "Skip to the content"
    order = [passed.index(word) for word in ("search", "Studies", "?", "Overview", "Logs")]
    assert order == sorted(order)


def test_the_focus_stays_on_its_trial_when_the_panel_changes(
    site: Site, scene: Scene, look: Open
) -> None:
    page = look(ADDRESS).page
    page.keyboard.press("j")
    row = page.evaluate(FOCUSED)

    scene.hire("joan")
    best = scene.end("finished", worker="joan", value=0.01)

    expect(page.locator("#p-trials tr[data-href]").first).to_have_attribute(
        "data-href", f"{ADDRESS}/t/{best.number}"
    )
    assert page.evaluate(FOCUSED) == row


def test_at_twice_the_size_nothing_is_cut_off(look: Open) -> None:
    window = look(ADDRESS, viewport={"width": 720, "height": 450}, device_scale_factor=2)

    assert window.overhang() <= 0
    assert window.barriers() == []
    inside = "all => all.every(one => one.getBoundingClientRect().right <= innerWidth)"
    assert window.page.locator(".tile, .card, .verdict").evaluate_all(inside)


def test_nothing_moves_for_whoever_asked_for_that(look: Open) -> None:
    page = look(ADDRESS, reduced_motion="reduce").page

    assert page.locator(".pulse").evaluate("one => getComputedStyle(one).animationName") == "none"


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_a_chosen_theme_is_kept_against_that_of_the_system(
    look: Open, system: str, other: str
) -> None:
    page = look(ADDRESS, color_scheme=system).page
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)

    page.keyboard.press("t")
    turned = page.evaluate(ground)
    page.reload(wait_until="commit")
    page.wait_for_selector("h1")

    assert page.evaluate(ground) == turned != before
    assert page.locator("html").get_attribute("data-theme") == other
    page.locator("#theme").click()
    assert page.evaluate(ground) == before


def test_choices_stand_in_the_address_and_outlive_a_reload(look: Open) -> None:
    page = look("/").page
    page.get_by_role("link", name="read", exact=True).click()
    page.evaluate("globalThis.isSame = true")

    page.locator("#p-curves").get_by_role("link", name="AUC").click()
    expect(page).to_have_url(re.compile("metric=val_macro_auc"))
    page.locator("#p-curves").get_by_role("link", name="minutes").click()
    expect(page).to_have_url(re.compile("align=minutes"))
    page.locator("#p-trials").get_by_role("link", name="Pruned").click()
    expect(page).to_have_url(re.compile("metric=val_macro_auc.*align=minutes.*which=pruned"))
    assert page.evaluate("globalThis.isSame")  # no page was loaded
    rows = best_rows(page)
    assert len(rows) == 6

    page.reload()
    for chosen in ("AUC", "minutes"):
        expect(page.locator("#p-curves [aria-current]", has_text=chosen)).to_have_count(1)
    assert best_rows(page) == rows

    page.go_back()
    expect(page.locator("#p-trials [aria-current]")).to_have_text("Best")
    assert "which" not in page.url
    for _ in range(2):
        page.go_back()
    expect(page).to_have_url(re.compile(f"{ADDRESS}$"))
    page.go_back()
    expect(page.locator("h1")).to_have_text("Studies")
