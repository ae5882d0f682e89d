"""The one kind of transaction: short, and honest about a database that is away."""

import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import Engine, make_url, text

from storage.errors import DatabaseUnreachable
from storage.locks import wait_until
from storage.store import Store
from storage.transaction import (
    advisory_lock,
    brief_engine,
    engine_options,
    pooled_engine,
    step,
    transaction,
)


@pytest.fixture
def ours(database_url: str) -> Iterator[Engine]:
    """An engine like that which opens the store."""
    engine = brief_engine(database_url)
    yield engine
    engine.dispose()


def test_limits_hold_within_a_transaction(ours: Engine) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "timezone")
    with transaction(ours) as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == [
            ("5s"),
            ("10s"),
            ("10s"),
            ("UTC"),
        ]


def test_a_transactions_own_limits_end_with_it(store: Store) -> None:
    for limit in ("7s", "8s"):
        with transaction(store.engine, lock_timeout=limit) as connection:
            assert connection.scalar(text("SHOW lock_timeout")) == limit
        with step(store.engine) as connection:
            assert connection.scalar(text("SHOW lock_timeout")) == "5s"


def test_an_option_in_the_url_wins_over_ours() -> None:
    options = engine_options("postgresql+psycopg2://u@h/d?connect_timeout=3")
    assert "connect_timeout" not in options["connect_args"]
    assert options["connect_args"]["tcp_user_timeout"] == 10_000


def test_a_lock_that_a_paused_machine_holds_is_an_unreachable_database(ours: Engine) -> None:
    with transaction(ours) as paused:
        advisory_lock(paused, 1)
        with (
            pytest.raises(DatabaseUnreachable, match="lock timeout"),
            transaction(ours, lock_timeout="50ms") as waiting,
        ):
            advisory_lock(waiting, 1)


def test_a_transaction_that_stands_still_frees_its_locks(ours: Engine) -> None:
    paused = transaction(ours, idle_in_transaction_session_timeout="50ms")
    advisory_lock(paused.__enter__(), 1)
    with transaction(ours) as other:
        advisory_lock(other, 1)  # granted once the database has given the paused one up
    with pytest.raises(DatabaseUnreachable):
        paused.__exit__(None, None, None)


def test_a_connection_that_died_while_idle_is_replaced_unnoticed(
    store: Store, engine: Engine
) -> None:
    store.study("toy")
    with engine.begin() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert store.study("toy").name == "toy"


def test_a_connection_that_is_cut_within_a_transaction_is_not_replaced(
    store: Store, engine: Engine
) -> None:
    def make_two_tables() -> None:
        with transaction(store.engine) as connection:
            connection.execute(text("CREATE TABLE half (x integer)"))
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with engine.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.execute(text("CREATE TABLE other_half (x integer)"))

    with pytest.raises(DatabaseUnreachable):
        make_two_tables()
    with engine.begin() as other:
        found = "SELECT to_regclass('half') IS NULL AND to_regclass('other_half') IS NULL"
        assert other.scalar(text(found))


def test_steps_and_transactions_share_a_connection_and_undo_as_they_should(store: Store) -> None:
    pids = set()
    for _ in range(2):
        with suppress(ZeroDivisionError), transaction(store.engine) as connection:
            pids.add(connection.scalar(text("SELECT pg_backend_pid()")))
            connection.execute(text("DELETE FROM search_service.workers"))
            raise ZeroDivisionError
        with step(store.engine) as connection:
            pids.add(connection.scalar(text("SELECT pg_backend_pid()")))
            assert connection.connection.driver_connection.autocommit  # type: ignore[union-attr]
    assert len(pids) == 1
    assert len(store.workers("toy")) == 2


def test_more_threads_than_connections_take_turns(store: Store, engine: Engine) -> None:
    held = threading.Barrier(3, timeout=10)

    def hold() -> None:
        with step(store.engine):
            held.wait()

    with ThreadPoolExecutor() as threads:
        for _ in range(2):
            threads.submit(hold)
        third = threads.submit(store.study, "toy")
        # A transaction would see the same activity again and again.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'search'"
            mine = f"{count} AND datname = current_database()"
            assert wait_until(lambda: other.scalar(text(mine)) == 2, 10)
            assert not third.done()
            held.wait()
            assert third.result(10).name == "toy"
            assert other.scalar(text(mine)) == 2


def test_a_process_whose_connections_all_hang_calls_the_database_unreachable(
    database_url: str,
) -> None:
    engine = pooled_engine(make_url(database_url), connections=1, patience_seconds=0.05)
    with step(engine), pytest.raises(DatabaseUnreachable, match="try again"), step(engine):
        pass
    engine.dispose()


def test_other_mistakes_keep_their_own_name(ours: Engine) -> None:
    with pytest.raises(Exception, match="UndefinedTable"), transaction(ours) as connection:
        connection.execute(text("SELECT * FROM nowhere"))


def test_no_password_is_ever_shown(store: Store, database_url: str) -> None:
    wrong = make_url(database_url).set(password="s3cret", database="nowhere")
    with pytest.raises(DatabaseUnreachable) as caught:
        Store.open(wrong.render_as_string(hide_password=False))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    with_password = make_url(database_url).set(password="s3cret")
    with Store.open(with_password.render_as_string(hide_password=False)) as opened:
        assert "s3cret" not in f"{opened!r} {vars(opened)!r}"


def test_a_database_that_is_away_is_said_in_one_line_with_the_fix(database_url: str) -> None:
    gone = make_url(database_url).update_query_dict({"host": "/nowhere"})
    with pytest.raises(DatabaseUnreachable) as caught:
        Store.open(gone.render_as_string(hide_password=False))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("then try again")
