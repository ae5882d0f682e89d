"""A page beside workers: it grows as they train, and tells when one of them is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import expect

from storage.rows import TrialRow
from tests.dashboards.browser.conftest import Open
from tests.dashboards.browser.scenes import running
from tests.dashboards.browser.site import Site

pytestmark = pytest.mark.slow

TOY = """
from spaces.params import Float
from spaces.study import Pruning, Study

study = Study(
    name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    fixed={"epochs": 400, "seconds_per_epoch": 0.3}, pruning=Pruning("none"),
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""
RUN = (sys.executable, "-P", "-m", "search.cli", "run", "--study", "toy.py", "--workers", "2")


def test_an_epoch_and_an_end_reach_the_open_page(site: Site, look: Open) -> None:
    scene = running(site.store, site.artifacts, "grows")
    scene.hire("joan")
    claim = scene.begin("joan", epochs=1)
    page = look("/s/grows").page
    page.evaluate("globalThis.isSame = true")
    total = scene.planned(claim)
    worker = page.locator(".worker", has=page.get_by_role("link", name=f"#{claim.number}"))
    expect(worker).to_contain_text(f"epoch 1/{total}")

    scene.train(claim, 1, since=1)
    expect(worker).to_contain_text(f"epoch 2/{total}")

    scene.finish(claim, 0.01)
    expect(page.locator("#tile-best .big")).to_contain_text("0.0100")
    expect(page.locator("#p-events li").first).to_contain_text(f"#{claim.number} new best")
    expect(page).to_have_title("grows · 25 of 40 · search")
    assert page.evaluate("globalThis.isSame")


@pytest.fixture
def run(site: Site) -> Iterator["subprocess.Popen[bytes]"]:
    """`search run` of a toy study with two workers."""
    (site.home / "toy.py").write_text(TOY)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SEARCH_")}
    place = {"SEARCH_HOME": str(site.home), "SEARCH_DATABASE_URL": site.url}
    process = subprocess.Popen(
        [*RUN, "--no-dashboard"], cwd=site.home, env=kept | place, stdout=subprocess.DEVNULL
    )
    yield process
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


def test_a_killed_worker_is_told_and_its_trial_goes_on(
    site: Site, look: Open, run: "subprocess.Popen[bytes]"
) -> None:
    victim = first_that_trains(site)
    page = look("/s/toy").page
    expect(page.locator(".worker")).to_have_count(2)
    page.evaluate("globalThis.isSame = true")
    worker = next(row for row in site.store.workers("toy") if row.trial == victim.number)

    psutil.Process(worker.pid).kill()

    told = page.locator("#p-events li", has_text=f"#{victim.number}").first
    expect(told).to_contain_text("went on as attempt 2")
    expect(told).to_contain_text("killed")
    expect(page.locator("#p-attempts .cross")).to_have_count(1)
    again = page.locator(".worker", has=page.get_by_role("link", name=f"#{victim.number}"))
    expect(again).to_have_count(1)
    expect(again).not_to_contain_text(worker.worker)
    page.locator("#p-trials").get_by_role("link", name="Running").click()
    row = page.locator(f"#p-trials tr[data-href$='/t/{victim.number}']")
    expect(row).to_contain_text("attempt 2")
    assert page.evaluate("globalThis.isSame")


def first_that_trains(site: Site) -> TrialRow:
    """Wait for two trials with an epoch each; return the one that is less far."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if "toy" in [row.name for row in site.store.studies()]:
            trials = [row for row in site.store.trials("toy") if row.last and row.is_leased]
            if len(trials) == 2:
                return min(trials, key=lambda row: row.last.epoch if row.last else 0)
        time.sleep(0.1)
    raise AssertionError("no two trials began")
