"""The first user starts the embedded Postgres, the last one stops it; nothing is left behind."""

import os
import signal

import psutil
import pytest

from storage.errors import DatabaseUnreachable
from storage.postgres import server
from storage.postgres.cluster import cluster_of
from tests.storage.postgres.server_user import (
    PATIENCE_SECONDS,
    ask,
    has_row,
    is_running,
    kill,
    leave,
    url_of,
    write_row,
)


def test_users_that_start_at_once_on_a_fresh_home_share_one_server(fresh_home, start_user) -> None:
    together = [start_user(fresh_home) for _ in range(3)]
    started = {ask(url_of(each), "SELECT pg_postmaster_start_time()") for each in together}
    assert len(started) == 1
    assert [leave(each) for each in together] == [0, 0, 0]
    assert not is_running(fresh_home)


def test_the_server_stays_for_the_others_and_stops_with_its_last_user(home, start_user) -> None:
    first, second = start_user(home), start_user(home)
    url_of(first)
    url = url_of(second)
    leave(first)
    assert ask(url, "SELECT 1") == 1
    leave(second)
    assert not is_running(home)
    assert not (cluster_of(home).folder / "owner.json").exists()


def test_a_killed_user_does_not_keep_the_server_up(home, start_user) -> None:
    killed, last = start_user(home), start_user(home)
    url_of(killed)
    url_of(last)
    kill(killed)
    leave(last)
    assert not is_running(home)


def test_the_server_of_a_killed_last_user_is_used_and_stopped_by_the_next(home, start_user) -> None:
    lonely = start_user(home)
    write_row(url_of(lonely))
    kill(lonely)
    with server.connect(home, None) as url:
        assert has_row(url)
    assert not is_running(home)


def test_an_error_of_its_user_stops_the_server_and_passes(home) -> None:
    with pytest.raises(KeyError), server.connect(home, None):
        raise KeyError
    assert not is_running(home)


def test_ctrl_c_for_a_users_process_group_does_not_reach_the_server(home, start_user) -> None:
    interrupted, other = start_user(home), start_user(home)
    url_of(interrupted)
    url = url_of(other)
    os.killpg(interrupted.pid, signal.SIGINT)
    interrupted.communicate(timeout=PATIENCE_SECONDS)
    assert ask(url, "SELECT 1") == 1
    leave(other)


def test_a_home_deleted_under_its_user_is_no_error(fresh_home) -> None:
    with server.connect(fresh_home, None):
        server.remove(fresh_home)
    assert not cluster_of(fresh_home).data.exists()


def test_start_keeps_the_server_up_until_stop(home) -> None:
    url = server.start(home)
    with server.connect(home, None):
        pass
    assert ask(url, "SELECT 1") == 1
    assert server.status(home).wanted == server.KEPT
    assert server.stop(home)
    assert not server.stop(home)
    assert not is_running(home)


def test_a_server_stopped_on_purpose_is_not_revived_under_its_users(home) -> None:
    with server.connect(home, None):
        assert server.stop(home)
        assert not server.ensure_running(home)
        with pytest.raises(DatabaseUnreachable, match=r"'search database start'$"):
            server.connect(home, None).__enter__()
        server.start(home)
        assert server.ensure_running(home)


def test_a_server_stopped_on_purpose_starts_for_its_next_user(home) -> None:
    with server.connect(home, None):
        server.stop(home)
    with server.connect(home, None) as url:
        assert ask(url, "SELECT 1") == 1
    assert server.status(home).wanted == ""


def test_status_and_stop_make_nothing(fresh_home) -> None:
    assert not server.status(fresh_home).is_made
    assert not server.stop(fresh_home)
    assert not fresh_home.exists()


def test_status_names_the_running_server(home) -> None:
    with server.connect(home, None) as url:
        status = server.status(home)
        assert (status.is_running, status.url) == (True, url)
        assert psutil.pid_exists(status.pid)
    assert not server.status(home).is_running
