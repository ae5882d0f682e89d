"""The role for workers in docs/operations.md: it takes every step, and has no right more."""

from collections.abc import Callable, Iterator
from socket import socketpair

import pytest
from sqlalchemy import make_url

from storage.engine import snapshots
from storage.engine.rungs import Arrival
from storage.errors import StorageError
from storage.live.outages import NewOutage
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.storage.listings import statements
from tests.storage.samples import finished, new_study, new_worker

Sql = Callable[..., list[tuple[object, ...]]]
GRANTS = [line for line in statements("operations.md", "trainer") if line.startswith("GRANT")]
EPOCH = {"seconds": 1.0, "images": 10}


@pytest.fixture
def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The owner's store, with a study of three trials, two of them queued."""
    monkeypatch.setattr(snapshots, "FEWEST", 1)
    with Store.open(database_url) as store:
        store.create(
            new_study("toy", trials=3, queue=[{"x": 0.5}, {"x": 0.25}], definition={"a": 1})
        )
        yield store


@pytest.fixture
def trainer(store: Store, sql: Sql, database_url: str) -> Iterator[Callable[..., str]]:
    """Make the role with the grants of the docs but for one; give its URL."""

    def make(without: str = "") -> str:
        sql(next(line for line in statements("operations.md", "trainer") if "CREATE" in line))
        for line in GRANTS:
            if line != without:
                sql(line)
        return make_url(database_url).set(username="trainer").render_as_string()

    yield make
    sql("DROP OWNED BY trainer")
    sql("DROP ROLE trainer")


def claim(store: Store, worker: str = "eve") -> Claim:
    claimed = store.claim("toy", worker, lease_seconds=30)
    assert isinstance(claimed, Claim)
    return claimed


def record(store: Store, held: Claim, *losses: float) -> None:
    for epoch, loss in enumerate(losses, 1):
        store.record(held, epoch, {"loss": loss}, loss, is_deterministic=False, **EPOCH)


def draw(store: Store, held: Claim) -> None:
    with store.trial(held) as trial:
        trial.suggest_float("x", 0, 1)


def work(store: Store) -> None:
    """Do everything that workers, and the supervisor of a crew, do with the tables."""
    for name in ("eve", "bob"):
        store.register_worker("toy", new_worker(name))
    first = claim(store)
    draw(store, first)
    record(store, first, 0.5, 0.4, 0.3)
    store.note_file(first, "epoch-0001.pt", "shared")
    store.hand_back(first, HandBackReason.DRAINED)
    again = claim(store)
    record(store, again, 0.5, 0.45)  # its code is not deterministic
    store.note_rung(again, Arrival(rung=1, kin="", epoch=2, value=0.45))
    store.forget_files(["shared"])
    store.tell(again, finished(0.45, shown={"seen": 1}, links={"kept": "x"}, last_epoch=1))
    stalled = claim(store)
    draw(store, stalled)
    store.beat(stalled, {"rss_bytes": 1})
    store.end_leases("eve", HandBackReason.STALLED)
    store.worker_ended("eve", 75, "stalled")
    store.note_outage(NewOutage(worker="bob", outage=1, seconds=1.0, epochs=1))
    for _ in range(2):
        held = claim(store, "bob")
        if not store.trials_of("toy", [held.number])[0].params:
            draw(store, held)
        record(store, held, 0.5)
        store.tell(held, finished(0.5))
    here, there = socketpair()
    with here, there:
        there.send(b"x")
        store.wait("toy", 1, here)
    store.amend("toy", lambda definition: {**definition, "b": 2})
    store.end_trial("toy", 0)


def do_all(url: str, sql: Sql) -> None:
    """Work, and read the study as a process does that starts later, beside a torn snapshot."""
    with Store.open(url) as store:
        work(store)
    assert sql("SELECT FROM search_service.snapshots") != []  # an error of it is passed over
    sql("UPDATE search_service.snapshots SET body = 'torn'")
    with Store.open(url) as store:
        assert store.best("toy", 1) == [0]
        assert [trial.outcome for trial in store.trials("toy")] == ["finished"] * 3
        assert len(store.machines("toy", silent_seconds=120)) == 1
    assert sql("SELECT FROM search_service.snapshots WHERE body = 'torn'") == []


def test_a_worker_with_the_rights_that_the_docs_name_can_do_all_its_work(
    trainer: Callable[..., str], sql: Sql
) -> None:
    do_all(trainer(), sql)


@pytest.mark.parametrize("line", GRANTS, ids=range(len(GRANTS)))
def test_every_grant_of_the_docs_is_needed(
    trainer: Callable[..., str], sql: Sql, line: str
) -> None:
    url = trainer(without=line)

    with pytest.raises((StorageError, AssertionError)):
        do_all(url, sql)


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.create(new_study("other")),
        lambda store: store.delete("toy"),
        lambda store: store.request_stop("toy", "now"),
        lambda store: store.update_definition("toy", {}, trials=99),
        lambda store: store.write_note("toy", "words"),
    ],
    ids=["create", "delete", "stop", "change", "note"],
)
def test_a_worker_changes_no_study_but_by_its_trials(
    trainer: Callable[..., str], act: Callable[[Store], object]
) -> None:
    with (
        Store.open(trainer()) as store,
        pytest.raises(StorageError, match=r"role trainer lacks a right.*; .*docs/operations\.md"),
    ):
        act(store)


def test_a_worker_cannot_migrate_and_says_what_to_run(
    trainer: Callable[..., str], sql: Sql
) -> None:
    url = trainer()
    sql("UPDATE search_service.alembic_version SET version_num = '0008'")

    with pytest.raises(
        StorageError,
        match=r"role trainer not; run `search status` of this version once as postgres",
    ):
        Store.open(url)
