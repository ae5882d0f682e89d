"""A study with curves and files, and its dashboard: as a person starts it, or in a thread."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TypeAlias

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboards.app import build_app
from dashboards.door.entrance import Entrance
from dashboards.door.port import address, listen
from dashboards.live.source import Source
from dashboards.serve import build_server
from spaces.params import Float
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.artifacts import artifact_store, keep
from storage.connections import OF_A_CHANGE
from storage.locks import wait_until
from storage.store import Claim, Store
from storage.viewers.opening import open_reader
from tests.conftest import own_database
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
    with stored_study(database_url, home) as store:
        yield store


@contextmanager
def stored_study(database_url: str, home: Path) -> Iterator[Store]:
    """Store the study with its trials in a database, and their files in a home."""
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
    claim = store.claim("toy", "ada", lease_seconds=86_400)
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


@contextmanager
def serving(home: Path, database_url: str) -> Iterator[Dashboard]:
    """Start `search dashboard` for a home and a database URL, "" for the home's own Postgres."""
    place = {"SEARCH_HOME": str(home), "SEARCH_DATABASE_URL": database_url}
    with subprocess.Popen(COMMAND, env=os.environ | place, stdout=subprocess.PIPE, text=True) as it:
        try:
            assert it.stdout is not None
            named = it.stdout.readline().split()[-1]
            with httpx.Client(base_url=named, timeout=TIMEOUT_SECONDS) as client:
                yield it, client
        finally:
            it.kill()


@contextmanager
def served_here(home: Path, database_url: str) -> Iterator[str]:
    """Serve the dashboard in a thread of this process, which takes no 1.6 s of CPU to start.

    It is the one that `search dashboard` serves, from the sockets to the database, but for the
    command line, the signals and the log. Return its address.
    """
    with listen(0) as listener, open_reader(database_url) as reader:
        change = partial(Store.open, database_url, OF_A_CHANGE)
        source = Source(reader, str(home / "artifacts"), home / "logs", change)
        server = build_server(build_app(source), listener, Entrance(home=home))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert wait_until(lambda: server.started, TIMEOUT_SECONDS)
            yield address(listener)
        finally:
            server.should_exit = True  # visitors that are still there are cut off after 1 s
            thread.join(TIMEOUT_SECONDS)


@pytest.fixture
def start_dashboard() -> Iterator[Callable[[Path, str], Dashboard]]:
    """Start a dashboard, as often as a test wants one."""
    with ExitStack() as ending:
        yield lambda home, database_url: ending.enter_context(serving(home, database_url))


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the store that tests share."""
    return tmp_path_factory.mktemp("shared") / "home"


@pytest.fixture(scope="session")
def shared_store(database_server: str, template_url: str, shared_home: Path) -> Iterator[Store]:
    """The same store for every test that changes nothing of it."""
    with (
        own_database(database_server, template_url) as url,
        stored_study(url, shared_home) as store,
    ):
        yield store


@pytest.fixture(scope="session")
def reader(shared_store: Store, shared_home: Path) -> Iterator[httpx.Client]:
    """A program that asks the dashboard of the shared store, and changes nothing."""
    url = shared_store.engine.url.render_as_string(hide_password=False)
    with serving(shared_home, url) as (_, client):
        yield client


@pytest.fixture
def dashboard(
    start_dashboard: Callable[[Path, str], Dashboard], store: Store, home: Path, database_url: str
) -> Dashboard:
    """The dashboard of the store as a process, and a program that asks it."""
    return start_dashboard(home, database_url)


@pytest.fixture
def client(store: Store, home: Path, database_url: str) -> Iterator[httpx.Client]:
    """A program that asks the dashboard of the store."""
    with (
        served_here(home, database_url) as named,
        httpx.Client(base_url=named, timeout=TIMEOUT_SECONDS) as client,
    ):
        yield client


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
