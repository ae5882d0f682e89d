"""The embedded Postgres outlives all that happens to its users, and leaves nothing behind."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text

from storage import server
from storage.cluster import SOCKET_BYTES, SOCKET_NAME, Cluster, cluster_of
from storage.errors import DatabaseUnreachable, ForeignServer, StorageError
from storage.locks import wait_until

PATIENCE_SECONDS = 30
NOBODY = 65534
User: TypeAlias = "subprocess.Popen[str]"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own way of running Postgres")

# A process that uses the server of argv[1] until its input is closed.
USER = """
import sys
from pathlib import Path
from storage.server import connect
with connect(Path(sys.argv[1]), None) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def fresh_home(tmp_path: Path) -> Iterator[Path]:
    """A home that nobody has used."""
    home = tmp_path / "a home's place"
    yield home
    server.remove(home)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("shared") / ".search"
    yield home
    server.remove(home)


@pytest.fixture
def home(shared_home: Path) -> Iterator[Path]:
    """A home whose database is made; its server is down at the test's begin and end."""
    with server.connect(shared_home, None):
        pass
    yield shared_home
    server.stop(shared_home)


@pytest.fixture
def start_user() -> Iterator[Callable[[Path], User]]:
    """Starts a process that uses a home's server; what is left of them is killed at the end."""
    users: list[User] = []

    def start(home: Path) -> User:
        command = [sys.executable, "-W", "error", "-c", USER, str(home)]
        pipe = subprocess.PIPE
        users.append(
            subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
            )
        )
        return users[-1]

    yield start
    for user in users:
        user.kill()
        user.communicate()


def url_of(user: User) -> str:
    """Wait until the user is connected and return the URL that it got."""
    assert user.stdout is not None
    return user.stdout.readline().strip()


def leave(user: User) -> int:
    """Let the user end its work in peace and return its exit code."""
    _, complaint = user.communicate(timeout=PATIENCE_SECONDS)
    assert not complaint
    return user.returncode


def kill(process: "User | psutil.Process | None") -> None:
    assert process is not None
    process.kill()
    process.wait(PATIENCE_SECONDS)


def ask(url: str, statement: str) -> object:
    """Run a statement, commit it and return the first value it gives, if any."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        answer = connection.execute(text(statement))
        return answer.scalar() if answer.returns_rows else None


def write_row(url: str) -> None:
    ask(url, "DROP TABLE IF EXISTS kept")
    ask(url, "CREATE TABLE kept (word text)")
    ask(url, "INSERT INTO kept VALUES ('still here')")


def has_row(url: str) -> bool:
    return ask(url, "SELECT word FROM kept") == "still here"


def is_running(home: Path) -> bool:
    return not cluster_of(home).is_dead()


# Who starts it, who stops it


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


def test_what_the_last_killed_user_left_is_used_and_stopped_by_the_next(home, start_user) -> None:
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


# What survives


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


# What a person asks for


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


def test_a_server_stopped_on_purpose_starts_for_whoever_comes_afterwards(home) -> None:
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


# Whom it lets in


def test_nobody_reaches_the_server_over_a_network_or_without_its_folder(home) -> None:
    with server.connect(home, None):
        cluster = cluster_of(home)
        assert stat.S_IMODE(cluster.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700
        assert cluster.postmaster().net_connections("inet") == []


def test_what_it_promises_is_set(home) -> None:
    wanted = {
        "fsync": "on",
        "max_connections": "200",
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "synchronous_commit": "on",
    }
    with server.connect(home, None) as url:
        assert {name: ask(url, f"SHOW {name}") for name in wanted} == wanted


def test_the_callers_postgres_variables_change_nothing(home, monkeypatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGDATA": "/", "PGUSER": "x"}.items():
        monkeypatch.setenv(name, value)
    with server.connect(home, None) as url:
        assert ask(url, "SELECT 1") == 1


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


def test_a_server_that_cannot_start_says_why_in_one_line(fresh_home) -> None:
    with server.connect(fresh_home, None):
        pass
    (cluster_of(fresh_home).data / "pg_hba.conf").write_text("nonsense\n")
    with pytest.raises(StorageError, match=r"could not load .*pg_hba.conf.*the whole story is in"):
        server.connect(fresh_home, None).__enter__()


def test_a_home_that_cannot_be_made_is_an_error_of_one_line(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory; choose another home with SEARCH_HOME"):
        server.connect(tmp_path / "file" / "home", None).__enter__()


# Root and everybody else


@as_root
def test_as_root_no_folder_outside_its_own_changes_its_mode(fresh_home) -> None:
    fresh_home.mkdir(mode=0o700)
    outside = [fresh_home, *fresh_home.parents, Path("/var/lib")]
    before = [folder.stat().st_mode for folder in outside]
    with server.connect(fresh_home, None):
        assert cluster_of(fresh_home).data.stat().st_uid != 0
    assert [folder.stat().st_mode for folder in outside] == before


@as_root
def test_as_root_data_that_vanished_are_missed_and_not_replaced(home) -> None:
    with server.connect(home, None):
        pass
    folder = cluster_of(home).folder
    aside = folder.rename(folder.with_name("aside"))
    with pytest.raises(StorageError, match=r"is gone; bring the folder back, or remove .*"):
        server.connect(home, None).__enter__()
    aside.rename(folder)


@pytest.fixture
def home_of_nobody() -> Iterator[Path]:
    """A home whose path is too long for a socket; for root one that belongs to somebody else."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield Path(folder) / ("long" * 30) / ".search"


def as_ordinary_user(home: Path, code: str) -> str:
    """Run code that knows `server` and `home`, not as root, and return what it prints."""
    head = f"""
import os
from pathlib import Path
from storage import server
home = Path({str(home)!r})
os.chdir("/")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
"""
    command = [sys.executable, "-W", "error", "-c", head + code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_an_ordinary_users_long_path_gets_a_short_private_socket(home_of_nobody: Path) -> None:
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
    as_ordinary_user(home_of_nobody, "server.remove(home)")
    assert not socket.exists()
    assert not cluster.folder.exists()


@as_root
def test_root_leaves_another_users_home_alone(home_of_nobody: Path) -> None:
    as_ordinary_user(home_of_nobody, "with server.connect(home, None): pass")
    with pytest.raises(StorageError, match="run search as the user who made it"):
        server.connect(home_of_nobody, None).__enter__()
    as_ordinary_user(home_of_nobody, "server.remove(home)")
