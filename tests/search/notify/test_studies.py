"""The events of studies whose workers no `search run` looks after, told by a dashboard."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from benchmarks.fleet.nodes import store_toy
from dashboards.door.port import listen
from search.errors import NO_STEP
from search.notify.message import Message
from search.notify.studies import StudiesWatch
from search.notify.watch import NOBODY_SECONDS
from spaces.stored import StoredStudy, to_json
from storage.locks import wait_until
from storage.store import Claim, Store
from tests.conftest import execute
from tests.search.notify.conftest import STUDY, Receiver
from tests.storage.samples import finished, new_study, new_worker

EXPIRE = (  # a lease counts from the server's start at the earliest
    "UPDATE search_service.attempts SET beat_at = beat_at - interval '1 hour', lease_seconds"
    " = extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) / 2"
)
PROGRAM = [sys.executable, "-P", "-m", "search.cli"]


@dataclass
class Heard:
    """The studies of a database, with a clock that tests turn, and their messages."""

    store: Store
    seconds: float = 0.0
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._studies = StudiesWatch(self.store, self._tell, lambda: self.seconds)

    def look(self, after_seconds: float = 0.0) -> None:
        self.seconds += after_seconds
        self._studies.look()

    def _tell(self, message: Message) -> None:
        self.told.append((message.snapshot.study.name, message.event))


@pytest.fixture
def heard(study: Store) -> Heard:
    return Heard(study)


def end_trials(store: Store, count: int) -> None:
    for _ in range(count):
        claim = store.claim("toy", "ada", lease_seconds=30)
        assert isinstance(claim, Claim)
        store.tell(claim, finished(0.25))


def test_the_end_of_a_study_with_workers_is_told_once(study: Store, heard: Heard) -> None:
    heard.look()
    end_trials(study, 2)
    for _ in range(2):
        heard.look()
    study.worker_ended("ada", 0, "")
    for _ in range(2):
        heard.look()
    assert heard.told == [("toy", "finished")]


def test_a_study_that_nobody_works_on_has_no_events(study: Store, heard: Heard) -> None:
    study.worker_ended("ada", 0, "")
    for _ in range(3):
        heard.look(after_seconds=NOBODY_SECONDS)
    assert heard.told == []


@pytest.mark.parametrize(
    ("exit_code", "reason", "engine", "told"),
    [
        (1, "", None, ["nobody_working"]),
        (75, "", None, []),  # somebody drained it, and nothing starts another
        (130, "", None, []),
        (75, NO_STEP, None, ["nobody_working"]),
        (75, "", "slurm", ["nobody_working"]),
    ],
)
def test_workers_that_are_gone_are_told_of_unless_somebody_asked_them_to_end(
    study: Store,
    heard: Heard,
    exit_code: int,
    reason: str,
    engine: str | None,
    told: list[str],
) -> None:
    study.register_worker("toy", new_worker("ada", machine={"engine": engine}))
    heard.look()
    study.worker_ended("ada", exit_code, reason)
    for _ in range(3):
        heard.look(after_seconds=NOBODY_SECONDS)
    assert [event for _, event in heard.told] == told


def test_a_worker_that_was_killed_before_is_no_worker_that_was_seen(
    study: Store, heard: Heard, database_url: str
) -> None:
    assert isinstance(study.claim("toy", "ada", lease_seconds=30), Claim)
    execute(database_url, EXPIRE)
    for _ in range(3):
        heard.look(after_seconds=NOBODY_SECONDS)
    assert heard.told == []


def test_a_trial_whose_worker_is_silent_is_told_of(
    study: Store, heard: Heard, database_url: str
) -> None:
    assert isinstance(study.claim("toy", "ada", lease_seconds=30), Claim)
    heard.look()
    execute(database_url, EXPIRE)
    for _ in range(3):
        heard.look(after_seconds=60 * STUDY.stall_minutes)
    assert heard.told[0] == ("toy", "stalled")


def test_a_study_of_another_version_keeps_no_other_from_its_events(
    study: Store, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    study.create(new_study("another", definition={"version": 0}))
    study.register_worker("another", new_worker("bob"))
    heard.look()
    end_trials(study, 2)
    heard.look()
    assert heard.told == [("toy", "finished")]
    assert caplog.text.count("no event of another is seen") == 1


def test_workers_that_were_told_to_stop_are_no_event(study: Store, heard: Heard) -> None:
    heard.look()
    study.request_stop("toy", "drain")
    study.worker_ended("ada", 0, "")
    for _ in range(3):
        heard.look(after_seconds=NOBODY_SECONDS)
    assert heard.told == []


def test_a_deleted_study_is_no_event_and_the_others_go_on(study: Store, heard: Heard) -> None:
    other = StoredStudy(replace(STUDY, name="other"))
    study.create(new_study("other", definition=to_json(other)))
    study.register_worker("other", new_worker("bob"))
    heard.look()
    study.delete("toy")
    study.worker_ended("bob", 0, "")
    for _ in range(3):
        heard.look(after_seconds=NOBODY_SECONDS)
    assert heard.told == [("other", "nobody_working")]


def test_a_database_that_is_away_is_told_of(study: Store, heard: Heard, database_url: str) -> None:
    heard.look()
    with closed(database_url):
        heard.look()
        heard.look(after_seconds=3600)
    assert heard.told == [("toy", "database_away")]
    heard.look()
    assert len(heard.told) == 1


@contextmanager
def closed(url: str) -> Iterator[None]:
    """Let nobody into a database, and end every connection to it."""
    name, server = make_url(url).database, make_url(url).set(database="postgres")
    address = server.render_as_string(hide_password=False)
    leave = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    execute(address, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false", leave)
    try:
        yield
    finally:
        execute(address, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


@pytest.mark.slow
def test_a_dashboard_tells_of_a_study_whose_worker_was_started_by_hand(
    tmp_path: Path, database_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "SEARCH_HOME": str(tmp_path),
        "SEARCH_DATABASE_URL": database_url,
        "SEARCH_WEBHOOK": receiver.url,
    }
    with Store.open(database_url) as store:
        store_toy(store, tmp_path, trials=3, fixed={"epochs": 4, "seconds_per_epoch": 0.5})
    page = subprocess.Popen(
        [*PROGRAM, "dashboard", "--port", "0"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert page.stdout
        assert page.stdout.readline().startswith("dashboard http://")
        worker = [*PROGRAM, "worker", "--study", "toy"]
        subprocess.run(worker, env=os.environ | environment, check=True)
        assert wait_until(lambda: bool(receiver.messages), 30)
    finally:
        page.terminate()
        page.communicate()
    (message,) = receiver.messages
    assert (message["event"], message["trials"]) == ("finished", {"ended": 3, "total": 3})
    kept = json.loads((tmp_path / "studies" / "toy" / "messages.json").read_text())
    assert kept == [message["id"]]


def test_the_dashboard_of_a_run_sends_nothing_and_needs_no_address(
    tmp_path: Path, database_url: str
) -> None:
    secrets = tmp_path / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text(f"SEARCH_DATABASE_URL={database_url}\nSEARCH_WEBHOOK_SECRET=s3cret\n")
    place = {"SEARCH_HOME": str(tmp_path), "SEARCH_SECRETS_FILE": str(secrets)}
    with listen(0) as listener:
        handle = listener.fileno()
        page = subprocess.Popen(
            [*PROGRAM, "dashboard", "--fd", str(handle)],
            env=os.environ | place,
            pass_fds=[handle],
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        assert page.stdout
        assert page.stdout.readline().startswith("dashboard http://")
    finally:
        page.kill()
        page.communicate()
