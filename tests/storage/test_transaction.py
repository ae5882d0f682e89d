"""The one kind of transaction: short, and honest about a database that is away."""

import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from storage.errors import DatabaseUnreachable
from storage.store import Store
from storage.transaction import advisory_lock, engine_options, explain_errors, transaction


@pytest.fixture
def ours(database_url: str) -> Iterator[Engine]:
    """An engine made as the store makes its own."""
    engine = explain_errors(create_engine(database_url, **engine_options(database_url)))
    yield engine
    engine.dispose()


def test_limits_hold_within_the_transaction_and_not_after_it(ours: Engine) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "timezone")
    with transaction(ours) as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == [
            ("5s"),
            ("10s"),
            ("10s"),
            ("UTC"),
        ]
    with ours.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "0"


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
