"""The lock of a home's dashboard: who serves, where, and what is left when it dies."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.door.port import listen
from search.processes.dashboard_lock import (
    Held,
    Living,
    find_living,
    open_again,
    take,
    take_or_find,
)
from search.settings import Settings

SERVES = """
import sys, time
from pathlib import Path
from search.processes.dashboard_lock import open_again, take
from search.settings import Settings
held = take(Settings(home=Path(sys.argv[1])), open_again)
print(held.living.port, flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def held(settings: Settings) -> Iterator[Held]:
    """This process has the right to serve the home."""
    held = taken(settings)
    with closing(held):
        yield held


def taken(settings: Settings) -> Held:
    held = take(settings, open_again)
    assert held
    return held


def test_a_home_in_which_nobody_serves_is_left_as_it_is(settings: Settings) -> None:
    assert find_living(settings) is None
    assert not settings.home.exists()


def test_the_second_finds_the_first_with_its_address(settings: Settings, held: Held) -> None:
    port = held.listener.getsockname()[1]
    living = Living(pid=os.getpid(), port=port, url=f"http://127.0.0.1:{port}")
    assert take(settings, open_again) is None
    assert find_living(settings) == living
    assert take_or_find(settings, open_again) == living


def test_a_studys_page_has_its_name_quoted() -> None:
    living = Living(pid=1, port=8080, url="http://127.0.0.1:8080")
    assert living.page("a/b c?é") == "http://127.0.0.1:8080/s/a%2Fb%20c%3F%C3%A9"


def test_another_database_has_a_dashboard_of_its_own(settings: Settings, held: Held) -> None:
    other = replace(settings, database_url="postgresql://me@box/db")
    assert find_living(other) is None
    with closing(taken(other)) as second:
        assert second.living.port != held.living.port


def test_the_next_one_opens_the_port_of_the_last_one(settings: Settings) -> None:
    with closing(taken(settings)) as first, listen() as between:
        port = first.living.port
    assert between.fileno() == -1
    with closing(taken(settings)) as second:
        assert second.living.port == port


def test_a_port_that_another_program_has_taken_is_left_to_it(settings: Settings) -> None:
    with closing(taken(settings)) as first:
        port = first.living.port
    with listen(port), closing(taken(settings)) as second:
        assert second.living.port != port
        assert find_living(settings) == second.living


def test_a_killed_holder_leaves_lock_and_port_to_the_next(settings: Settings) -> None:
    command = [sys.executable, "-c", SERVES, str(settings.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        assert find_living(settings) == Living(
            pid=holder.pid, port=port, url=f"http://127.0.0.1:{port}"
        )
        holder.send_signal(signal.SIGKILL)
    assert find_living(settings) is None
    with closing(taken(settings)) as next_one:
        assert next_one.living.port == port


def test_an_address_of_the_dead_is_not_handed_on(settings: Settings, held: Held) -> None:
    # As between the lock and the new address of the one that takes over.
    dead = subprocess.Popen(["true"])
    dead.wait()
    text = f'{{"pid": {dead.pid}, "port": 1, "url": "http://127.0.0.1:1"}}'
    os.pwrite(held.lock.handle, text.encode().ljust(512), 0)
    assert find_living(settings) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"[]"])
def test_a_file_that_nobody_can_read_is_written_anew(settings: Settings, content: bytes) -> None:
    with closing(taken(settings)):
        (path,) = settings.home.iterdir()
    path.write_bytes(content)
    with closing(taken(settings)) as held:
        assert find_living(settings) == held.living


def test_a_port_that_cannot_be_opened_frees_the_lock(settings: Settings) -> None:
    def refused(_port: int | None) -> socket.socket:
        raise OSError("no more files")

    with pytest.raises(OSError, match="no more files"):
        take(settings, refused)
    with closing(taken(settings)):
        assert find_living(settings)
