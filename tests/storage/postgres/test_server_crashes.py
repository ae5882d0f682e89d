"""The embedded Postgres outlives all that happens to it and its users."""

import os
from contextlib import suppress

import psutil
from sqlalchemy import NullPool, create_engine, text

from storage.locks import wait_until
from storage.postgres import server
from storage.postgres.cluster import cluster_of
from tests.storage.postgres.server_user import (
    PATIENCE_SECONDS,
    ask,
    has_row,
    is_running,
    kill,
    url_of,
    write_row,
)


def test_rows_survive_a_stop_and_a_start(home) -> None:
    with server.connect(home, None) as url:
        write_row(url)
    with server.connect(home, None) as url:
        assert has_row(url)


def test_rows_survive_the_kill_of_the_server(home) -> None:
    with server.connect(home, None) as url:
        write_row(url)
        kill(cluster_of(home).postmaster())
        assert server.ensure_running(home)
        assert has_row(url)


def test_rows_survive_the_kill_of_everything_at_once(home, start_user) -> None:
    doomed = start_user(home)
    write_row(url_of(doomed))
    postmaster = cluster_of(home).postmaster()
    assert postmaster is not None
    for process in (postmaster, *postmaster.children(), doomed):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    with server.connect(home, None) as url:
        assert has_row(url)


def test_a_killed_backend_is_recovered_from(home) -> None:
    with server.connect(home, None) as url:
        write_row(url)
        postmaster = cluster_of(home).postmaster()
        assert postmaster is not None
        kill(postmaster.children()[0])
        with server.connect(home, None) as again:
            assert has_row(again)


def test_a_stop_in_the_middle_of_crash_recovery_does_not_hang(home) -> None:
    with server.connect(home, None):
        postmaster = cluster_of(home).postmaster()
        assert postmaster is not None
        postmaster.children()[0].kill()
    assert not is_running(home)


def test_a_new_server_waits_for_the_backends_of_a_killed_one(home) -> None:
    with server.connect(home, None) as url:
        postmaster = cluster_of(home).postmaster()
        assert postmaster is not None
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            busy = psutil.Process(connection.execute(text("SELECT pg_backend_pid()")).scalar())
            busy.suspend()
            kill(postmaster)
            assert not cluster_of(home).is_dead()
            busy.resume()
            assert server.ensure_running(home)
            connection.invalidate()


def test_a_reused_pid_in_postmaster_pid_is_not_taken_for_the_server(home) -> None:
    with server.connect(home, None) as url:
        write_row(url)
        postmaster, pid_file = (
            cluster_of(home).postmaster(),
            cluster_of(home).data / "postmaster.pid",
        )
        content = pid_file.read_text()
        kill(postmaster)
        assert wait_until(cluster_of(home).is_dead, PATIENCE_SECONDS)
        pid_file.write_text(content.replace(str(postmaster.pid), str(os.getpid()), 1))
        assert cluster_of(home).postmaster() is None
        assert server.ensure_running(home)
        assert has_row(url)


def test_a_database_whose_making_was_cut_short_is_made_anew(fresh_home, start_user) -> None:
    cut = start_user(fresh_home)
    unfinished = cluster_of(fresh_home).folder / "data.new" / "PG_VERSION"
    assert wait_until(unfinished.exists, PATIENCE_SECONDS)
    kill(cut)
    assert not cluster_of(fresh_home).data.exists()
    with server.connect(fresh_home, None) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_starter_killed_in_the_middle_leaves_a_server_for_the_next(home, start_user) -> None:
    cut = start_user(home)
    assert wait_until((cluster_of(home).data / "postmaster.pid").exists, PATIENCE_SECONDS)
    kill(cut)
    with server.connect(home, None) as url:
        assert ask(url, "SELECT 1") == 1
    assert not is_running(home)
