"""The report opened from the disk in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.report.facts import Facts
from dashboards.report.page import headers, page_of, report_page
from spaces.params import Choice, Float
from spaces.study import Study
from storage.store import Store
from tests.dashboards.report.planted import plant

HOSTILE = (
    "</script><script>hacked=1</script><img src='http://x.test/' onerror='hacked=1'>"
    "<a href='javascript:hacked=1'>x</a>"
)
BOMB = Study(
    name="bomb",
    about=HOSTILE,
    objective="image_classifier",
    metric="val_loss",
    direction="minimize",
    trials=40,
    space=[
        Float("learning_rate", 1e-5, 1e-2, log=True),
        Choice("augmentation", (HOSTILE, "light")),
    ],
)
COLUMNS = "path,label,class_index,group,site,split,fold,sha1"
MANIFEST = f'{COLUMNS}\na,"{HOSTILE}",0,p,,train,0,\n'

SERVED = {"Content-Type": "text/html; charset=utf-8", **headers()}

pytestmark = pytest.mark.slow


def opened(browser: Browser, file: Path, **options: object) -> tuple[Page, list[str]]:
    """Open a file; return its page and what went wrong or out."""
    page, troubles = browser.new_page(**options), []  # type: ignore[arg-type]
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.on(
        "request", lambda asked: troubles.append(asked.url) if asked.url != file.as_uri() else None
    )
    page.goto(file.as_uri())
    return page, troubles


def test_a_report_of_1000_trials_is_drawn_from_disk_without_error_or_request(
    browser: Browser, facts: Facts, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page_of(facts), encoding="utf-8")

    page, troubles = opened(browser, file, color_scheme="dark")

    expect(page.locator("html[data-drawn='2']")).to_be_visible(timeout=60_000)
    expect(page.locator("#parallel canvas").first).to_be_visible()
    expect(page.locator("#parallel .no-webgl")).to_have_count(0)
    expect(page.locator("#importances .bars .point")).to_have_count(8)
    buttons = page.locator(".modebar-btn").evaluate_all("all => all.map(one => one.dataset.title)")
    assert buttons
    assert not [title for title in buttons if "loud" in title or "tudio" in title]
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.emulate_media(media="print")
    expect(page.locator("#parallel svg.parallel")).to_be_visible()
    expect(page.locator("#parallel canvas").first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert troubles == []


def test_served_in_a_sandbox_the_report_is_drawn_and_has_an_origin_of_its_own(
    browser: Browser, facts: Facts
) -> None:
    page, address, errors = browser.new_page(), "http://report.test/s/planted/report", []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.route(address, lambda route: route.fulfill(body=page_of(facts), headers=SERVED))

    page.goto(address)

    expect(page.locator("html[data-drawn='2']")).to_be_visible(timeout=60_000)
    assert page.evaluate("self.origin") == "null"
    assert errors == []


def test_without_a_script_the_report_says_the_same(
    browser: Browser, facts: Facts, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page_of(facts), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})

    page = context.new_page()
    page.goto(file.as_uri())

    expect(page.locator("#parallel svg.parallel path")).to_have_count(100)
    expect(page.locator("#importances tbody tr")).to_have_count(8)
    expect(page.locator(".methods")).to_contain_text("1,000 trials of 1000 had ended")
    page.screenshot(full_page=True)
    context.close()


def test_script_in_texts_of_a_study_does_nothing(
    browser: Browser, store: Store, tmp_path: Path
) -> None:
    plant(store, BOMB, count=40, detail=HOSTILE, manifest=MANIFEST)
    store.note_test_use("bomb", HOSTILE, HOSTILE)
    file = tmp_path / "report.html"
    file.write_text(report_page(store, "bomb", str(tmp_path)), encoding="utf-8")

    page, troubles = opened(browser, file)

    expect(page.locator("html[data-drawn='2']")).to_be_visible(timeout=60_000)
    assert page.evaluate("typeof hacked") == "undefined"
    assert page.locator("img, a[href^='javascript'], svg a").count() == 0
    expect(page.locator(".about")).to_have_text(HOSTILE)
    expect(page.locator("#parallel .moving")).to_contain_text("</script><script>hacked")
    assert troubles == []
