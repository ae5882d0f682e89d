"""optuna-dashboard's pages in a browser: they read, name the metric and mark practice data."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboards.analysis.methods.description import describe
from dashboards.note import study_note
from dashboards.optuna.marked import PRACTICE, PRACTICE_MEANING
from storage.rows import Shown
from storage.store import Store

# Optuna warns of a study with so few trials; here that would be an error of the server.
pytestmark = pytest.mark.filterwarnings("ignore:Target and region quantiles")

RUNNING = "/dashboard/studies/1/trials?numbers=2"
ENDED = "/dashboard/studies/1/trials?numbers=0"
# A page, the icons of its buttons that would write, and of some that read.
BUTTONS: list[tuple[str, Sequence[str], Sequence[str]]] = [
    ("/dashboard", ("AddBox", "DriveFileRenameOutline", "Delete"), ("Refresh", "Compare")),
    ("/dashboard/studies/1", ("UploadFile",), ("Link", "Settings")),
    ("/dashboard/studies/1/note", ("Edit",), ("RateReview",)),
    (ENDED, ("Edit",), ("FilterList", "Download")),
    (RUNNING, ("StopCircle", "UploadFile", "Edit"), ("FilterList",)),
    ("/dashboard/studies/1/smartSelection", (), ("Download", "Link")),
]


@pytest.mark.slow
def test_the_study_its_curves_and_its_note_are_shown_without_an_error(
    page: Page, store: Store
) -> None:
    row = store.study("toy")
    store.write_note(row.name, study_note(describe(row, None)))
    store.show(row.name, Shown("val_loss"))
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)

    page.goto("/dashboard")
    page.get_by_role("link", name="toy").click()
    curves = page.locator("#graph-intermediate-values")
    expect(curves.get_by_text("trial #2 (running)")).to_be_visible()
    expect(curves.locator(".scatterlayer .js-line")).to_have_count(3)
    expect(page.get_by_text("val_loss", exact=True).first).to_be_visible()
    expect(page.get_by_text("Objective 0")).to_have_count(0)
    page.locator("a[href$='/note']").click()
    expect(page.get_by_text(row.definition["study"]["about"])).to_be_visible()
    expect(page.get_by_role("cell", name="learning_rate")).to_be_visible()

    expect(page.get_by_role("link", name="← search")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert errors == []


@pytest.mark.slow
def test_no_button_that_would_write_is_shown_and_those_that_read_are(page: Page) -> None:
    for path, writing, reading in BUTTONS:
        page.goto(path)
        for icon in reading:
            expect(_icon(page, icon).first).to_be_visible()
        for icon in writing:  # it is there, so that its name is right, and hidden
            expect(_icon(page, icon)).not_to_have_count(0)
            expect(_icon(page, icon).filter(visible=True)).to_have_count(0)
        expect(page.get_by_role("button", name="delete artifact")).to_have_count(0)


@pytest.mark.slow
def test_practice_data_is_said_in_the_name_on_every_page(page: Page, store: Store) -> None:
    store.show("toy", Shown("val_loss", {PRACTICE: PRACTICE_MEANING}))

    page.goto("/dashboard")
    page.get_by_role("link", name="Practice data · toy").click()

    expect(page.get_by_text("Practice data · toy (id=1)")).to_be_visible()
    expect(page.get_by_text(PRACTICE_MEANING)).to_be_visible()
    page.goto(ENDED)
    expect(page.get_by_text("Practice data · toy (id=1)")).to_be_visible()


def _icon(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"{name}Icon")
