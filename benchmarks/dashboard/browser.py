"""Both dashboards in a browser: the first useful paint, a repaint, and the lag behind training."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from benchmarks.dashboard.scene import Scene, scene
from benchmarks.dashboard.serving import our_dashboard, our_page, plain_dashboard
from benchmarks.engine.lab import Lab
from benchmarks.figures import Figure, Target, exactly, middle

PAINT_SECONDS, REPAINT_MS, LAG_SECONDS = Target(1.0), Target(30), Target(3)
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
LIMIT_SECONDS = 120
LIMIT_MS = LIMIT_SECONDS * 1000
OUR_PAINT = "#p-verdict .verdict >> visible=true", "#p-tiles .tile >> visible=true"
PLAIN_PAINT = ("#graph-history .point, .js-plotly-plot .point >> visible=true",)

# Of all panels, layout included.
REPAINT = """async (rounds) => {
  const { panels } = await (await fetch(`${location.pathname}/panels`)).json();
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    put(panels);
    document.body.offsetHeight;
    times.push(performance.now() - started);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""
IS_SHOWN = """(words) => [...document.querySelectorAll("#p-workers .worker")].some(
  (worker) => words.every((each) => worker.textContent.includes(each)))"""


def browser(lab: Lab) -> Iterator[Figure]:
    """Measure in a browser, ours and then optuna-dashboard on the same study."""
    size = lab.sizes.middle
    at = f"{size:,} trials"
    with scene(lab, size) as played, _chromium() as chromium:
        firsts, nexts = [], []
        for _ in range(lab.rounds):
            with our_dashboard(played.place) as served:
                firsts.append(_paint(chromium, our_page(served), OUR_PAINT))
                nexts.append(_paint(chromium, our_page(served), OUR_PAINT))
        with our_dashboard(played.place) as served:
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            page.goto(our_page(served))
            repaints = page.evaluate(REPAINT, max(20, lab.trials))
            lags = list(_lags(page, played, max(16, lab.trials)))
        with plain_dashboard(played.place) as plain:
            address = f"{plain.url}/dashboard/studies/{played.study_id}"
            beside = _paint(chromium, address, PLAIN_PAINT)
        shown = f"> {LIMIT_SECONDS}" if beside >= LIMIT_SECONDS else beside
        yield Figure(
            row="paint",
            name="seconds to the first useful paint",
            at=f"{at}, the server's first visitor",
            value=middle(firsts),
            target=PAINT_SECONDS,
            beside={"plain": shown, "next_visit": median(nexts)},
        )
        yield Figure(
            row="paint",
            name="ms to repaint every panel",
            at=at,
            value=middle(repaints),
            target=REPAINT_MS,
        )
        yield Figure(
            row="lag",
            name="seconds from a recorded epoch to the page",
            at=f"{at}, 16 running",
            value=middle(lags),
            target=LAG_SECONDS,
            beside={"longest": exactly(max(lags)).median},
        )


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


def _paint(chromium: Browser, address: str, selectors: tuple[str, ...]) -> float:
    """Return the seconds until everything of these is visible, LIMIT_SECONDS where it is not."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        started = time.monotonic()
        try:
            page.goto(address, wait_until="commit", timeout=LIMIT_MS)
            for selector in selectors:
                left = LIMIT_SECONDS - (time.monotonic() - started)
                page.locator(selector).first.wait_for(timeout=max(1, left * 1000))
        except TimeoutError:
            return LIMIT_SECONDS
        return time.monotonic() - started
    finally:
        context.close()


def _lags(page: Page, played: Scene, epochs: int) -> Iterator[float]:
    """Record epochs; yield the seconds until each is shown, of the workers that the page lists."""
    for _ in range(epochs):
        each = played.record()
        started = time.monotonic()
        if page.locator("#p-workers").get_by_text(each.worker, exact=True).count():
            words = [f"#{each.claim.number} ", f"epoch {each.epoch}/"]
            page.wait_for_function(IS_SHOWN, arg=words, timeout=LIMIT_MS)
            yield time.monotonic() - started
