"""An older and a newer search at one database: each goes on, or says in one line why not."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from storage import schema
from storage.errors import LeaseLost, StorageError
from storage.locks import wait_until
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.storage.samples import new_worker

Claiming = Callable[..., Claim]
AGED = Path(__file__).with_name("aged.py")
CHANGED = "another version of search changed the tables after worker {!r} had opened them; start it"
UNKNOWN = f"the database is at revision 9999 of another search; this one is at {schema.head()}; up"


class Search:
    """The process of a worker that makes a step when it is asked, and answers."""

    def __init__(self, url: str, migrations: Path, name: str) -> None:
        command = [sys.executable, "-W", "error", str(AGED), url, str(migrations), name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def tell(self, step: str) -> None:
        assert self.process.stdin
        print(step, file=self.process.stdin, flush=True)

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, *steps: str) -> str:
        """Make the steps and return the answer to the last one; all others must go well."""
        for step in steps[:-1]:
            assert self.ask(step) == "ok"
        self.tell(steps[-1])
        return self.answer()


@pytest.fixture
def start(database_url: str) -> Iterator[Callable[[Path, str], Search]]:
    """Start a search with these migrations; it ends with the test at the latest."""
    searches = []

    def start(migrations: Path, name: str) -> Search:
        searches.append(Search(database_url, migrations, name))
        return searches[-1]

    yield start
    for search in searches:
        search.process.kill()
        search.process.communicate()


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_newer_search_waits_for_an_older_ones_trials_and_the_older_one_gets_no_more(
    start: Callable[[Path, str], Search], newer_migrations: Path
) -> None:
    old, new = start(schema.MIGRATIONS, "old"), start(newer_migrations, "new")
    assert old.ask("open", "register", "claim") == "ok"
    assert new.ask("open").startswith("the tables must be migrated and 1 trials are running; end")
    assert old.ask("record", "tell") == "ok"
    assert new.ask("open", "register", "claim") == "ok"
    assert old.ask("claim").startswith(CHANGED.format("old"))
    assert old.ask("open").startswith(UNKNOWN)
    assert new.ask("record", "tell") == "ok"


@pytest.mark.slow
def test_searches_of_two_ages_open_an_empty_database_at_once(
    empty_database_url: str,
    start: Callable[[Path, str], Search],
    newer_migrations: Path,
    engine: Engine,
) -> None:
    ages = [schema.MIGRATIONS, newer_migrations] * 2
    searches = [start(migrations, str(number)) for number, migrations in enumerate(ages)]
    for search in searches:
        search.tell("open")
    answers = [search.answer() for search in searches]
    assert answers[1::2] == ["ok"] * 2
    assert [each for each in answers[::2] if each != "ok" and not each.startswith(UNKNOWN)] == []
    with engine.connect() as connection:
        assert schema.revision(connection) == "9999"


def test_a_silent_workers_attempt_ends_before_the_tables_change(
    store: Store,
    claim: Claiming,
    newer_migrations: Path,
    expire: Callable[[], None],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = claim("ada")
    expire()
    monkeypatch.setattr(schema, "MIGRATIONS", newer_migrations)
    with Store.open(database_url) as after:
        with pytest.raises(LeaseLost):
            store.record(held, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=1)
        with pytest.raises(StorageError, match=CHANGED.format("ada")):
            store.claim("toy", "ada", lease_seconds=30)
        after.register_worker("toy", new_worker("eve"))
        again = after.claim("toy", "eve", lease_seconds=30)
        assert isinstance(again, Claim)
        assert (again.number, again.attempt) == (0, 2)
        assert [row.reason for row in after.attempts("toy")] == ["lost", None]


def test_a_worker_that_died_with_its_server_keeps_no_tables_as_they_are(
    store: Store,
    claim: Claiming,
    sql: Callable[..., object],
    newer_migrations: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim("ada")
    sql(  # live for ten minutes after the server's start just now, silent for a day before it
        "UPDATE search_service.attempts SET lease_seconds = extract(epoch FROM"
        " clock_timestamp() - pg_postmaster_start_time()) + 600,"
        " beat_at = pg_postmaster_start_time() - interval '1 day'"
    )
    assert sql("SELECT search_service.is_live(a) FROM search_service.attempts a") == [(True,)]
    monkeypatch.setattr(schema, "MIGRATIONS", newer_migrations)
    with Store.open(database_url) as after:
        assert [row.reason for row in after.attempts("toy")] == ["lost"]


def test_a_claim_that_meets_a_migration_waits_for_it_and_gets_no_trial(
    store: Store,
    newer_migrations: Path,
    engine: Engine,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", newer_migrations)
    with ThreadPoolExecutor(2) as others, engine.connect() as looking:

        def are_waiting(count: int) -> bool:
            looking.rollback()
            return looking.scalar(waiting) == count

        with transaction(engine) as busy:
            busy.execute(text("SELECT pg_advisory_xact_lock(9999)"))
            opening = others.submit(Store.open, database_url)
            assert wait_until(lambda: are_waiting(1), patience_seconds=5)
            claiming = others.submit(store.claim, "toy", "ada", lease_seconds=30)
            assert wait_until(lambda: are_waiting(2), patience_seconds=5)
        opening.result().close()
        with pytest.raises(StorageError, match=CHANGED.format("ada")):
            claiming.result()
    assert store.trials("toy") == []


def test_a_role_that_may_use_the_tables_but_not_change_them_learns_whose_may(
    newer_migrations: Path,
    sql: Callable[..., object],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sql("DROP ROLE IF EXISTS guest")
    sql("CREATE ROLE guest LOGIN")
    for name in ("search_service", "search_views", "public"):
        sql(f"GRANT ALL ON SCHEMA {name} TO guest")
        sql(f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO guest")
    url = make_url(database_url).set(username="guest").render_as_string()
    Store.open(url).close()
    monkeypatch.setattr(schema, "MIGRATIONS", newer_migrations)
    for open_or_ask in (Store.open, schema.check_usable):
        with pytest.raises(StorageError, match=r"their owner postgres .* once as postgres"):
            open_or_ask(url)
    sql("DROP OWNED BY guest")
    sql("DROP ROLE guest")
