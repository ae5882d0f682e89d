"""A worker waits for news of its study and asks nothing meanwhile."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import event

from search.processes.signals import listening
from storage.errors import DatabaseUnreachable
from storage.locks import wait_until
from storage.rows import HandBackReason
from storage.store import Claim, Nothing, Store
from tests.storage.conftest import Sql
from tests.storage.samples import ended, finished, new_study, new_worker

Claiming = Callable[..., Claim]
Wait = Callable[..., "Future[None]"]

LISTENING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ '^SELECT coalesce'"
)


@pytest.fixture
def never() -> Iterator[socket.socket]:
    """A file from which there is never anything to read."""
    here, there = socket.socketpair()
    with here, there:
        yield here


@pytest.fixture
def wait(store: Store, sql: Sql, never: socket.socket) -> Iterator[Wait]:
    """Wait in a thread for news of the study toy, and return once the thread listens."""
    with ThreadPoolExecutor() as threads:

        def start(seconds: float = 60, study: str = "toy") -> "Future[None]":
            waiting = threads.submit(store.wait, study, seconds, never)
            assert wait_until(lambda: bool(sql(LISTENING)) or waiting.done(), 10)
            return waiting

        yield start


NEWS: dict[str, Callable[[Store, Claim], object]] = {
    "the last trial's end": lambda store, held: store.tell(held, finished(0.5)),
    "a failure": lambda store, held: store.tell(held, ended("FAIL", "code_error")),
    "a trial handed back": lambda store, held: store.hand_back(held, HandBackReason.DRAINED),
    "a dead worker's leases": lambda store, _: store.end_leases("ada", HandBackReason.KILLED),
    "a stop request": lambda store, held: store.request_stop(held.study, "drain"),
    "a larger budget": lambda store, held: store.update_definition(held.study, {}, trials=9),
}


def test_a_wait_ends_with_what_may_change_the_answer_to_a_claim(store: Store, wait: Wait) -> None:
    for name, make_news in NEWS.items():
        store.create(new_study(name))
        store.end_leases("ada", HandBackReason.STOPPED)
        held = store.claim(name, "ada", lease_seconds=600)
        assert isinstance(held, Claim)
        assert store.claim(name, "bob", lease_seconds=600) is Nothing.WAIT
        waiting = wait(study=name)
        make_news(store, held)
        waiting.result(10)


def test_beats_and_epochs_and_another_studys_news_leave_a_wait_alone(
    store: Store, claim: Claiming, wait: Wait
) -> None:
    held = claim(lease_seconds=600)
    store.create(new_study("other"))
    waiting = wait()
    store.beat(held)
    store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
    store.request_stop("other", "drain")
    time.sleep(0.3)
    assert not waiting.done()
    store.hand_back(held, HandBackReason.DRAINED)
    waiting.result(10)


def test_an_end_is_no_news_while_trials_of_the_budget_have_not_begun(
    store: Store, claim: Claiming, wait: Wait
) -> None:
    claim("ada", lease_seconds=600)
    other = claim("bob", lease_seconds=600)
    waiting = wait()
    store.tell(other, finished(0.5))
    time.sleep(0.3)
    assert not waiting.done()
    store.request_stop("toy", "now")
    waiting.result(10)


def test_an_end_is_no_news_while_many_others_run(store: Store, wait: Wait) -> None:
    store.update_definition("toy", {}, trials=10)
    held = []
    for name in map(str, range(10)):
        store.register_worker("toy", new_worker(name))
        held.append(store.claim("toy", name, lease_seconds=600))
    waiting = wait()
    store.tell(held[0], finished(0.5))
    time.sleep(0.3)
    assert not waiting.done()
    store.tell(held[1], finished(0.5))  # the first one after which fewer than nine run
    store.tell(held[2], finished(0.5))
    waiting.result(10)


def test_the_first_claim_that_finds_no_trial_left_ends_the_waits(
    store: Store, claim: Claiming, wait: Wait, sql: Sql
) -> None:
    """Many trials that ended at one moment, or were failed in a dashboard, were told to nobody."""
    store.update_definition("toy", {}, trials=1)
    claim("ada", lease_seconds=600)
    waiting = wait()
    sql("UPDATE trials SET state = 'FAIL'")
    time.sleep(0.1)
    assert not waiting.done()
    assert store.claim("toy", "ada", lease_seconds=600) is Nothing.DONE
    waiting.result(10)


def test_a_wait_ends_by_itself(store: Store, claim: Claiming, wait: Wait) -> None:
    claim(lease_seconds=600)
    assert wait(0.05).exception(10) is None


def test_a_wait_ends_with_the_first_lease(store: Store, claim: Claiming, wait: Wait) -> None:
    claim("ada", lease_seconds=0.5)
    claim("bob", lease_seconds=600)
    store.register_worker("toy", new_worker("eve"))
    wait(600).result(10)
    freed = store.claim("toy", "eve", lease_seconds=30)
    assert isinstance(freed, Claim)
    assert (freed.number, freed.attempt) == (0, 2)


@pytest.mark.parametrize("state", ["none is left", "one is free", "the study is gone"])
def test_no_wait_begins_when_a_claim_would_have_an_answer(
    state: str, store: Store, claim: Claiming, wait: Wait, sql: Sql
) -> None:
    held = claim(lease_seconds=600)
    if state == "one is free":
        store.hand_back(held, HandBackReason.DRAINED)
    else:
        store.tell(held, finished(0.5))
    if state == "the study is gone":
        store.delete("toy")
    assert wait(600).exception(10) is None


def test_a_signal_ends_a_wait(store: Store, claim: Claiming) -> None:
    claim(lease_seconds=600)
    with listening() as flag:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        store.wait("toy", 600, flag)
        assert flag.draining
        store.wait("toy", 600, flag)  # a request from before the wait ends it as well


def test_a_lost_connection_ends_a_wait_and_the_next_one_listens_again(
    store: Store, claim: Claiming, wait: Wait, sql: Sql
) -> None:
    held = claim(lease_seconds=600)
    cut = wait()
    sql(f"SELECT pg_terminate_backend(pid, 5000) FROM ({LISTENING}) listening")
    with pytest.raises(DatabaseUnreachable):
        cut.result(10)
    waiting = wait()
    store.hand_back(held, HandBackReason.DRAINED)
    waiting.result(10)


def test_a_waiting_worker_asks_nothing(store: Store, claim: Claiming, wait: Wait) -> None:
    held, statements = claim(lease_seconds=600), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    waiting = wait()
    before = len(statements)
    time.sleep(0.5)
    assert len(statements) == before == 3
    store.hand_back(held, HandBackReason.DRAINED)
    waiting.result(10)
    assert store.claim("toy", "bob", lease_seconds=30) is not Nothing.WAIT
