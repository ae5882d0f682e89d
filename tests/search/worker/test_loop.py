"""A worker that waits while another one holds the last trial."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from search.worker.loop import work
from search.worker.worker import Worker
from spaces.exits import DONE, DRAINED
from storage.locks import wait_until
from storage.store import Claim, Store
from tests.search.toy_worker import make_worker
from tests.storage.samples import finished, new_worker

OF_WAITING = "FROM pg_stat_activity WHERE application_name = 'waiting' AND query ~ 'a.beat_at'"


@dataclass
class Waiting:
    """A worker in a thread, and the trial that it waits for."""

    worker: Worker
    held: Claim
    ending: "Future[int]"


@pytest.fixture
def waiting(database_url: str, tmp_path: Path, monkeypatch) -> Iterator[Waiting]:
    monkeypatch.setattr("search.worker.loop.FIRST_WAIT_SECONDS", 600.0)  # no wait ends by itself
    named = make_url(database_url).update_query_dict({"application_name": "waiting"})
    with Store.open(named.render_as_string()) as store, ThreadPoolExecutor() as threads:
        worker = make_worker(store, tmp_path, trials=1)
        store.register_worker("toy", new_worker("other"))
        held = store.claim("toy", "other", lease_seconds=600)
        assert isinstance(held, Claim)
        yield Waiting(worker, held, threads.submit(work, worker))
        worker.flag.drain()
    worker.flag.close()


@pytest.fixture
def on_connection(database_url: str) -> Iterator[Callable[[str], object]]:
    """Wait until the worker listens, then evaluate an expression on its connection's row."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")

    def evaluate(expression: str) -> object:
        with engine.connect() as connection:
            listening = text(f"SELECT 1 {OF_WAITING}")
            assert wait_until(lambda: bool(connection.execute(listening).all()), 20)
            return connection.scalar(text(f"SELECT {expression} {OF_WAITING}"))

    yield evaluate
    engine.dispose()


def test_a_worker_that_waits_is_done_when_the_last_trial_ends(waiting, on_connection) -> None:
    on_connection("pid")
    waiting.worker.store.tell(waiting.held, finished(0.5))
    assert waiting.ending.result(10) == DONE


def test_a_worker_whose_connection_is_cut_waits_on(waiting, on_connection) -> None:
    cut = on_connection("CASE WHEN pg_terminate_backend(pid, 5000) THEN pid END")
    assert cut
    assert on_connection("pid") != cut
    waiting.worker.store.tell(waiting.held, finished(0.5))
    assert waiting.ending.result(10) == DONE


def test_a_worker_that_waits_ends_at_once_when_it_is_told_to(waiting, on_connection) -> None:
    on_connection("pid")
    waiting.worker.flag.drain()
    assert waiting.ending.result(10) == DRAINED
