"""The README's pictures of the pages, taken from a real run: `make screenshots`.

`python -m benchmarks.screenshots [--home FOLDER] [--trials 40] [--ended 26]`

The study of scanned digits is searched by two workers. Once enough trials have ended a real browser
opens its pages, while the workers go on. A home that is kept is gone on with.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
STUDY, WORKERS = "digits", 2
COLOURS = 256  # of a picture's palette: flat pages lose nothing that is seen
MOST_BYTES = 600_000  # of all pictures together: a clone of the repository stays small
WAIT_SECONDS = 3600.0
SETTLED_MILLISECONDS = 1500  # times are filled in, and the first change has come


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: of which address, how large, in which theme.

    scale: pixels of the picture for one of the page.
    has_curves: whether to wait for the curves of running trials.
    """

    name: str
    address: str
    width: int = 1440
    height: int = 900
    theme: str = "light"
    scale: int = 1
    has_curves: bool = False


def pictures(best: int) -> list[Picture]:
    """Return the pictures to take; `best` is the number of the best trial."""
    study = f"/s/{STUDY}"
    return [
        Picture(name="overview", address=study, has_curves=True),
        Picture(name="overview-dark", address=study, theme="dark", has_curves=True),
        Picture(name="phone", address=study, width=390, height=844, scale=2),
        Picture(name="trial", address=f"{study}/t/{best}"),
        Picture(name="studies", address="/", height=240),
    ]


@contextmanager
def running(home: Path, trials: int) -> Iterator[str]:
    """Yield the address of the dashboard of a search that runs in a home."""
    command = [sys.executable, "-P", "-m", "search.cli", "run", "--study", STUDY]
    command += ["--workers", str(WORKERS), "--trials", str(trials)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SEARCH_")}
    environment = kept | {"SEARCH_HOME": str(home), "PYTHONUNBUFFERED": "1"}  # for its address
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        try:
            yield _address(run)
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate()


def _address(run: "subprocess.Popen[str]") -> str:
    assert run.stdout is not None
    for line in run.stdout:
        words = line.split()
        if words[:1] == ["dashboard:"] and words[1].startswith("http"):
            return words[1].partition("/s/")[0]
    raise SystemExit("search run ended without a dashboard; run it by hand to see why")


def wait_until(ended: int, address: str) -> int:
    """Wait until so many trials have ended and some train; return the number of the best one."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        studies = httpx.get(f"{address}/studies.json", timeout=60).json()
        for line in studies:
            is_there = line["name"] == STUDY and line["ended"] >= ended
            if is_there and line["running"] == WORKERS and line["best_trial"] is not None:
                return int(line["best_trial"])
        time.sleep(2)
    raise SystemExit(f"fewer than {ended} trials ended in an hour")


def take(picture: Picture, browser: Browser, address: str) -> bytes:
    """Return a picture of a page as PNG with a palette."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.theme,  # type: ignore[arg-type]
        device_scale_factor=picture.scale,
    )
    page = context.new_page()
    page.goto(f"{address}{picture.address}")
    for place in range(WORKERS if picture.has_curves else 0):  # every worker has ended an epoch
        curve = page.locator("#p-curves path.run").nth(place)
        curve.wait_for(state="attached", timeout=1000 * WAIT_SECONDS)
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    taken = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    context.close()
    packed = BytesIO()
    _with_palette(taken).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _with_palette(picture: Image.Image) -> Image.Image:
    """Return a picture in its most frequent colours, exact ones: backgrounds keep their shade."""
    found = picture.getcolors(picture.width * picture.height) or []
    colours = [colour for _, colour in sorted(found, reverse=True)[:COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in colours for part in colour])  # type: ignore[union-attr]
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> None:
    """Run the search, take the pictures and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="go on in this home, and keep it")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--ended", type=int, default=26, help="trials to wait for")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as made,
        running(given.home or Path(made), given.trials) as at,
    ):
        wanted = pictures(wait_until(given.ended, at))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            taken = {picture.name: take(picture, browser, at) for picture in wanted}
    if (size := sum(map(len, taken.values()))) > MOST_BYTES:
        raise SystemExit(
            f"the pictures have {size} bytes, more than {MOST_BYTES}; take fewer colours"
        )
    IMAGES.mkdir(exist_ok=True)
    for name, content in taken.items():
        (IMAGES / f"{name}.png").write_bytes(content)
        print(f"docs/images/{name}.png {len(content):,} bytes")


if __name__ == "__main__":
    main()
