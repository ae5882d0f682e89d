"""A study with curves and files, and the dashboard as a person starts it, in its own process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from spaces.params import Float
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.artifacts import artifact_store, keep
from storage.store import Claim, Store
from tests.storage.samples import finished, new_study, new_worker

STUDY = Study(
    name="toy",
    about="Where does the toy's loss fall best?",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    trials=3,
    space=[Float("learning_rate", 1e-4, 1, log=True)],
)
Dashboard: TypeAlias = "tuple[subprocess.Popen[str], httpx.Client]"

COMMAND = [sys.executable, "-P", "-m", "search.cli", "dashboard", "--port", "0"]
TIMEOUT_SECONDS = 30
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FILES = {
    "page.html": "<script>document.title = 'taken over'</script>",
    "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "traceback.txt": "ValueError: no such thing",
}

expect.set_options(timeout=60_000)  # an open page changes every 2 s, on a busy machine less often


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a search on a database of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def store(database_url: str, home: Path) -> Iterator[Store]:
    """A store with two finished trials, which kept files, and a running one."""
    home.mkdir()
    with Store.open(database_url) as store:
        new = {"fingerprint": fingerprint(StoredStudy(STUDY)), "trials": STUDY.trials}
        store.create(
            new_study(definition=to_json(StoredStudy(STUDY)), direction=STUDY.direction, **new)
        )
        store.register_worker("toy", new_worker("ada"))
        for _ in range(2):
            finish(store, begin(store), home)
        begin(store)
        yield store


def begin(store: Store) -> Claim:
    """Claim a trial and record three epochs of it."""
    claim = store.claim("toy", "ada", lease_seconds=600)
    assert isinstance(claim, Claim)
    with store.trial(claim) as trial:
        STUDY.space.suggest(trial)
    for epoch in (1, 2, 3):
        store.record(claim, epoch, {"val_loss": 1 / epoch}, 1 / epoch, seconds=1.0, images=10)
    return claim


def finish(store: Store, claim: Claim, home: Path) -> None:
    """Keep the files and tell the trial's end."""
    links: dict[str, str] = {}
    for name, content in FILES.items():
        (home / name).write_text(content)
        links |= keep(artifact_store(str(home / "artifacts")), claim, home / name)
    store.tell(claim, finished(1 / 3, links=links))


@pytest.fixture
def start_dashboard() -> Iterator[Callable[[Path, str], Dashboard]]:
    """Start `search dashboard` for a home and a database URL, "" for the home's own Postgres."""
    with ExitStack() as ending:

        def start(home: Path, database_url: str) -> Dashboard:
            place = {"SEARCH_HOME": str(home), "SEARCH_DATABASE_URL": database_url}
            process = ending.enter_context(
                subprocess.Popen(COMMAND, env=os.environ | place, stdout=subprocess.PIPE, text=True)
            )
            ending.callback(process.kill)
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            client = httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS)
            return process, ending.enter_context(client)

        yield start


@pytest.fixture
def dashboard(
    start_dashboard: Callable[[Path, str], Dashboard], store: Store, home: Path, database_url: str
) -> Dashboard:
    """The dashboard of the store: its process and a program that asks it."""
    return start_dashboard(home, database_url)


@pytest.fixture
def client(dashboard: Dashboard) -> httpx.Client:
    """A program that asks the dashboard of the store."""
    return dashboard[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, client: httpx.Client) -> Iterator[Page]:
    """A page of a real browser, for the dashboard of the store."""
    with browser.new_context(base_url=str(client.base_url)) as context:
        yield context.new_page()
