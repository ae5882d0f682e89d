"""Script in every text that others write: it stays text, on every page."""

import optuna
import pytest
from playwright.sync_api import expect

from objectives.contract import CONFUSION_MATRIX, PER_CLASS
from spaces.params import Choice, Float
from storage.artifacts import artifact_store, keep
from storage.store import Claim
from tests.dashboards.browser.conftest import Open
from tests.dashboards.browser.scenes import Scene
from tests.dashboards.browser.site import Site
from tests.storage.samples import ended, finished, new_worker

pytestmark = pytest.mark.slow

EVIL = (
    "</script><script>alert(1)</script><img src='http://evil.test/' onerror='alert(2)'>"
    "<a href='javascript:alert(3)'>x</a> {{ 7 * 7 }} [x](javascript:alert(4))"
)
WORKER = f"w-1-{EVIL}"
FOREIGN = "<svg onload=alert(5)> & friends"
PAGES = ("", "/trials", "/t/0", "/t/1", "/compare?t=0,2", "/timeline", "/data", "/logs")
SPACE = [Float("learning_rate", 1e-5, 1e-2, log=True), Choice("augmentation", (EVIL, "light"))]
TABLES = {
    PER_CLASS: f'class,images,groups,recall,recall_low,recall_high\n"{EVIL}",9,9,0.5,0.3,0.7\n',
    CONFUSION_MATRIX: f'true class,"taken for {EVIL}"\n"{EVIL}",9\n',
}
# What a text that became markup would have left behind.
TRACES = "img, a[href^='javascript'], script:not([src]):not([type]), svg[onload], [onerror]"


@pytest.fixture(scope="module", autouse=True)
def scene(site: Site) -> Scene:
    """A study with script in each of its texts, and one of another program."""
    scene = Scene(site.store, site.artifacts, "planted", about=EVIL, trials=9, space=SPACE)
    worker = new_worker(WORKER, host=EVIL, device="cuda", machine={"device_class": EVIL})
    site.store.register_worker("planted", worker)
    best = _begin(scene)
    site.store.tell(best, finished(0.3, shown={"badges": EVIL}, links=_kept(site, best)))
    site.store.tell(_begin(scene), ended("FAIL", "code_error", EVIL))
    site.store.tell(_begin(scene), finished(0.4))
    site.store.beat(_begin(scene), {"gpu_name": EVIL, "gpu_percent": 1})
    site.store.note_test_use("planted", EVIL, EVIL)
    (site.home / "logs" / "planted").mkdir(parents=True)
    (site.home / "logs" / "planted" / "worker-1.log").write_text(f"{EVIL}\n")
    url = site.store.engine.url.render_as_string(hide_password=False)
    optuna.create_study(storage=url, study_name=FOREIGN).optimize(lambda _: 0.5, n_trials=1)
    return scene


def _begin(scene: Scene) -> Claim:
    claim = scene.store.claim("planted", WORKER, lease_seconds=3600.0)
    assert isinstance(claim, Claim)
    with scene.store.trial(claim) as trial:
        scene.study.space.suggest(trial)
    for epoch in (1, 2):
        value = 0.5 - epoch / 10
        numbers = {"val_loss": value, EVIL: 1.0}
        scene.store.record(claim, epoch, numbers, value, seconds=1.0, images=9)
    return claim


def _kept(site: Site, claim: Claim) -> dict[str, str]:
    links: dict[str, str] = {}
    for name, content in TABLES.items():
        path = site.home / name
        path.write_text(content)
        links |= keep(artifact_store(str(site.artifacts)), claim, path)
    return links


@pytest.mark.parametrize("page", PAGES)
def test_script_in_a_studys_texts_is_shown_as_text(look: Open, page: str) -> None:
    window = look(f"/s/planted{page}")

    expect(window.page.locator("body")).to_contain_text("<img src='http://evil.test/'")
    assert window.page.locator(TRACES).count() == 0
    assert "49" not in window.page.locator("h1, .head").first.inner_text()


def test_a_study_of_another_program_is_listed_as_one_that_cannot_be_read(look: Open) -> None:
    window = look("/")

    expect(window.page.locator("#p-studies")).to_contain_text("<img src='http://evil.test/'")
    assert window.page.locator(TRACES).count() == 0
