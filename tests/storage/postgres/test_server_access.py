"""The embedded Postgres admits its owner alone, and lives where it can be reached."""

import json
import os
import stat
from pathlib import Path

import pytest

from storage.errors import ForeignServer, StorageError
from storage.postgres import server
from storage.postgres.cluster import SOCKET_BYTES, SOCKET_NAME, Cluster, cluster_of
from tests.storage.postgres.server_user import (
    as_ordinary_user,
    ask,
    has_row,
    write_row,
)

NAMELESS = 123_456  # no passwd file names it
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own way of running Postgres")


def test_nobody_reaches_the_server_over_a_network_or_without_its_folder(home) -> None:
    with server.connect(home, None):
        cluster = cluster_of(home)
        assert stat.S_IMODE(cluster.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700
        assert cluster.postmaster().net_connections("inet") == []


def test_the_promised_settings_are_set(home) -> None:
    wanted = {
        "fsync": "on",
        "max_connections": "200",
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "synchronous_commit": "on",
    }
    with server.connect(home, None) as url:
        assert {name: ask(url, f"SHOW {name}") for name in wanted} == wanted


LIBPQ = {
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "127.0.0.1",
    "PGPORT": "1",
    "PGUSER": "x",
    "PGDATABASE": "x",
    "PGPASSWORD": "x",
    "PGPASSFILE": "/nowhere",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGREQUIREPEER": "x",
    "PGSERVICE": "production",
    "PGSERVICEFILE": "/nowhere",
    "PGOPTIONS": "-c search_path=lab -c default_transaction_read_only=on",
    "PGSSLMODE": "verify-full",
    "PGSSLNEGOTIATION": "direct",
    "PGGSSENCMODE": "require",
    "PGCHANNELBINDING": "require",
    "PGTARGETSESSIONATTRS": "standby",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGMINPROTOCOLVERSION": "nonsense",
    "PGCLIENTENCODING": "LATIN1",
    "PGTZ": "Asia/Kolkata",
    "PGDATESTYLE": "German",
    "PGGEQO": "nonsense",
    "PGCONNECT_TIMEOUT": "nonsense",
    "PGDATA": "/",
}


def test_no_variable_of_libpq_reaches_the_embedded_server(home, monkeypatch) -> None:
    with server.connect(home, None):
        for name, value in LIBPQ.items():
            monkeypatch.setenv(name, value)
            with server.connect(home, None) as url:
                assert name not in os.environ
                assert ask(url, "SHOW search_path") == '"$user", public', name
            assert os.environ[name] == value


def test_the_server_is_made_without_the_callers_variables_and_changes_no_folders_mode(
    fresh_home, monkeypatch
) -> None:
    fresh_home.mkdir(mode=0o700)
    outside = [fresh_home, *fresh_home.parents, Path("/var/lib")]
    before = [folder.stat().st_mode for folder in outside]
    for name, value in {**LIBPQ, "LC_ALL": "de_DE", "TZ": "nonsense"}.items():
        monkeypatch.setenv(name, value)
    with server.connect(fresh_home, None) as url:
        assert ask(url, "SELECT 1") == 1
        assert cluster_of(fresh_home).data.stat().st_uid != 0
    assert [folder.stat().st_mode for folder in outside] == before


def test_a_home_of_another_machine_is_refused_with_the_ways_out(home) -> None:
    with server.connect(home, None):
        pass
    owner = cluster_of(home).folder / "owner.json"
    owner.write_text(json.dumps({"host": "elsewhere", "boot_id": "another"}))
    with pytest.raises(ForeignServer, match=r"machine elsewhere; .*SEARCH_DATABASE_URL.*remove .*"):
        server.connect(home, None).__enter__()
    with pytest.raises(ForeignServer):
        server.stop(home)
    owner.unlink()


def test_a_machine_that_was_restarted_takes_its_own_home_up_again(home) -> None:
    with server.connect(home, None) as url:
        write_row(url)
    here = {"host": os.uname().nodename, "boot_id": "before the restart"}
    (cluster_of(home).folder / "owner.json").write_text(json.dumps(here))
    with server.connect(home, None) as url:
        assert has_row(url)


def test_a_server_that_cannot_start_says_why_in_one_line(home) -> None:
    file = cluster_of(home).data / "pg_hba.conf"
    right = file.read_text()
    file.write_text("nonsense\n")
    try:
        told = r"could not load .*pg_hba.conf.*the whole story is in"
        with pytest.raises(StorageError, match=told):
            server.connect(home, None).__enter__()
    finally:  # other tests share the home
        file.write_text(right)


def test_a_home_that_cannot_be_made_is_an_error_of_one_line(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory; choose another home with SEARCH_HOME"):
        server.connect(tmp_path / "file" / "home", None).__enter__()


# Root and everybody else


@as_root
def test_as_root_data_that_vanished_are_missed_and_not_replaced(home) -> None:
    with server.connect(home, None):
        pass
    folder = cluster_of(home).folder
    aside = folder.rename(folder.with_name("aside"))
    with pytest.raises(StorageError, match=r"is gone; bring the folder back, or remove .*"):
        server.connect(home, None).__enter__()
    aside.rename(folder)


def test_an_ordinary_users_long_path_gets_a_short_private_socket_that_root_leaves_alone(
    home_of_nobody: Path,
) -> None:
    cluster = Cluster(home_of_nobody / "postgres")
    assert len(os.fsencode(cluster.folder / "socket" / SOCKET_NAME)) > SOCKET_BYTES
    code = """
with server.connect(home, None) as url:
    print(server.status(home).is_running)
with server.connect(home, None) as again:
    print(url == again, server.cluster_of(home).socket, server.cluster_of(home).data.stat().st_uid)
"""
    answer = as_ordinary_user(home_of_nobody, code).split()
    socket = Path(answer[2])
    assert (answer[0], answer[1], answer[3]) == ("True", "True", str(socket.stat().st_uid))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        with pytest.raises(StorageError, match="run search as the user who made it"):
            server.connect(home_of_nobody, None).__enter__()
    as_ordinary_user(home_of_nobody, "server.remove(home)")
    assert not socket.exists()
    assert not cluster.folder.exists()


@as_root
def test_a_user_id_that_postgres_cannot_name_is_refused_with_the_way_out(
    home_of_nobody: Path,
) -> None:
    os.chown(home_of_nobody.parents[1], NAMELESS, NAMELESS)
    code = """
from storage.postgres import programs
allowed = programs.ENVIRONMENT
programs.ENVIRONMENT = {"PATH": "/nowhere"}  # without `unshare`, as in most containers
try:
    server.connect(home, None).__enter__()
except StorageError as error:
    print(error)
programs.ENVIRONMENT = allowed
"""
    said = as_ordinary_user(home_of_nobody, code, NAMELESS)
    assert said.startswith(f"user id {NAMELESS} has no name on this machine")
    assert said.endswith("or set SEARCH_DATABASE_URL")
