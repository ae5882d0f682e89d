"""A configured database URL works as users write it, or is refused in one line with the fix."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from storage.errors import DatabaseUnreachable, StorageError
from storage.postgres import server
from storage.postgres.url import check_reachable, database_url
from storage.transaction import engine_options
from tests.storage.tcp import tcp_server

PASSWORD = "s3cret@/:"  # what a URL must quote


@pytest.fixture(scope="module")
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[str]:
    """The URL of a Postgres on a port, as others run one: with a password that it asks for."""
    password = f"ALTER ROLE postgres PASSWORD '{PASSWORD}'"
    with tcp_server(tmp_path_factory.mktemp("elsewhere"), password, port=free_port):
        parts = make_url(f"postgres://postgres@127.0.0.1:{free_port}/postgres")
        yield parts.set(password=PASSWORD).render_as_string(hide_password=False)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_a_postgres_url_reaches_the_server(url: str, scheme: str) -> None:
    configured = url.replace("postgres", scheme, 1)
    with server.connect(Path("/nowhere"), configured) as ready:
        assert ready.startswith("postgresql+psycopg2://")
        with create_engine(ready, poolclass=NullPool).connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("password", "wr0ng", "password authentication failed.*; correct the user or the password"),
        ("password", None, "no password supplied; add the password"),
        ("username", "stranger", "user stranger: password authentication failed"),
        ("database", "missing", 'database "missing" does not exist; create it there or correct'),
        ("host", "no-such-host.invalid", "could not translate host name .*; correct the host"),
        ("port", 1, "port 1, .*Connection refused.*; start Postgres there or correct host"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_line_with_the_fix(
    url: str, part: str, value: str | int | None, said: str
) -> None:
    wrong = make_url(url)._replace(**{part: value})
    with pytest.raises(DatabaseUnreachable, match=said) as caught:
        check_reachable(database_url(wrong.render_as_string(hide_password=False)))
    message = str(caught.value)
    assert message.startswith(f"no connection to Postgres at {wrong.host}, port {wrong.port}")
    assert message.endswith("or unset SEARCH_DATABASE_URL to use the built-in Postgres")
    assert "\n" not in message
    assert "s3cret" not in message
    assert "wr0ng" not in message


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ("sqlite:///study.db", "begins with 'sqlite', but Postgres is the only database; use "),
        ("mysql://root:s3cret@db/x", "begins with 'mysql', but Postgres is the only database"),
        ("db.example.org", "cannot be read; write it as postgresql://USER:PASSWORD@HOST"),
        ("postgresql://me:s3cret@db:port/x", "cannot be read; write it as "),
        ("postgresql://me:s3cret", "cannot be read; write it as "),
        ("postgresql://me:p@s3cret@db/x", "more than one '@'; write an '@' .* as %40"),
    ],
)
def test_any_other_url_is_refused_without_its_password(configured: str, said: str) -> None:
    with pytest.raises(StorageError, match=said) as caught:
        server.connect(Path("/nowhere"), configured).__enter__()
    assert str(caught.value).startswith("the database URL (SEARCH_DATABASE_URL) ")
    assert "s3cret" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr("storage.postgres.url.CONNECT_SECONDS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(DatabaseUnreachable, match="timeout expired; check that a firewall"):
            check_reachable(database_url(f"postgres://me@127.0.0.1:{port}/x"))


def test_libpqs_variables_count_for_what_a_url_does_not_state(url: str, monkeypatch) -> None:
    parts = make_url(url)
    for name, value in {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(parts.port),
        "PGUSER": "postgres",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "postgres",
        "PGOPTIONS": "-c search_path=lab",
        "PGCLIENTENCODING": "LATIN1",
    }.items():
        monkeypatch.setenv(name, value)
    with server.connect(Path("/nowhere"), "postgresql://") as ready:
        engine = create_engine(ready, poolclass=NullPool, **engine_options(ready))
        with engine.connect() as connection:
            assert connection.execute(text("SHOW search_path")).scalar() == "lab"
            assert connection.execute(text("SELECT '研究'")).scalar() == "研究"


def test_the_password_may_stand_in_a_file_of_libpqs_that_others_cannot_open(
    url: str, tmp_path: Path, monkeypatch
) -> None:
    file, bare = tmp_path / "passwords", make_url(url)._replace(password=None)
    file.write_text(f"*:*:*:*:{PASSWORD.replace(':', chr(92) + ':')}\n")
    monkeypatch.setenv("PGPASSFILE", str(file))
    file.chmod(0o600)
    check_reachable(database_url(bare.render_as_string()))

    file.chmod(0o640)
    with pytest.raises(DatabaseUnreachable, match=r"add the password \(a PGPASSFILE counts"):
        check_reachable(database_url(bare.render_as_string()))


def test_a_failure_names_the_host_that_libpqs_variables_gave(monkeypatch) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(DatabaseUnreachable, match=r"Postgres at 127\.0\.0\.1, port 1, database x"):
        check_reachable(database_url("postgresql:///x"))


def test_libpqs_own_patience_wins_over_ours(monkeypatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    assert "connect_timeout" not in engine_options("postgresql+psycopg2://db/x")["connect_args"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(DatabaseUnreachable, match="timeout expired"):
            check_reachable(database_url(f"postgres://me@127.0.0.1:{port}/x"))
