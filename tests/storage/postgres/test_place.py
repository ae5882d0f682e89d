"""A home works under any path; moved it keeps its database, and a copy has one of its own."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from storage.errors import StorageError
from storage.postgres import programs, server
from storage.postgres.cluster import cluster_of
from storage.postgres.place import abandoned, cluster_path
from tests.storage.postgres.server_user import (
    as_ordinary_user,
    ask,
    has_row,
    ordinary_users_home,
    write_row,
)

# Also in an encoding that is not UTF-8, and with characters that shells, URLs and libpq treat.
ODD = "a,b \"c\" 'd' $(e) `f` 100%41 \\g\nh;&?#=@ö \udce9"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own way of running Postgres")

# One home of an ordinary user, which is copied twice, opened on another disk and moved. Each step
# prints its findings as one line of JSON.
STEPS = """
import json
torn, copy = home.with_name("torn"), home.with_name("copy")

with server.connect(home, None) as url:
    first = server.cluster_of(home).socket
    write_row(url)
    subprocess.run(["cp", "-a", home, torn], check=True)
    said = [str(server.stop(torn))]
    for use in (server.start, server.status):
        try:
            use(torn)
        except StorageError as error:
            said.append(str(error))
print(json.dumps(said))

subprocess.run(["cp", "-a", home, copy], check=True)
with server.connect(home, None) as url, server.connect(copy, None) as copied:
    found = [url != copied, has_row(copied)]
    ask(copied, "DROP TABLE kept")
    found.append(has_row(url))
print(json.dumps(found))
server.remove(copy)

mark = first / "mark"
mark.write_text(mark.read_text().replace(str(home.stat().st_dev), "the first disk"))
with server.connect(home, None):
    is_link = (home / "postgres" / "socket").is_symlink()
    print(json.dumps([is_link, server.cluster_of(home).socket == first]))
(mark.unlink(), first.rmdir())

moved = home.rename(home.with_name("moved"))
with server.connect(moved, None) as url:
    print(json.dumps(has_row(url)))
server.remove(moved)
"""


@pytest.fixture(scope="module")
def findings() -> Sequence[Any]:
    """What an ordinary user finds in a home that was copied and moved, by the steps above."""
    with ordinary_users_home() as home:
        return [json.loads(line) for line in as_ordinary_user(home, STEPS).splitlines()]


def test_a_home_of_an_ordinary_user_has_any_path(home_of_nobody: Path) -> None:
    code = f"""
home = home.parents[1] / {ODD!r}
with server.connect(home, None) as url:
    print(ask(url, "SELECT 1"), server.status(home).is_running)
server.remove(home)
"""
    assert as_ordinary_user(home_of_nobody, code) == "1 True"


def test_a_home_that_was_copied_while_its_server_ran_is_refused(findings: Sequence[Any]) -> None:
    said, *refused = findings[0]
    assert said == "False"
    assert len(refused) == 2
    for each in refused:
        assert re.search(r"was copied while its Postgres ran, .*; stop .* and copy it again", each)


def test_a_copied_home_has_a_database_of_its_own(findings: Sequence[Any]) -> None:
    has_another_url, has_the_row, first_keeps_it = findings[1]
    assert has_another_url
    assert has_the_row
    assert first_keeps_it


def test_a_snapshot_of_a_disk_never_takes_the_socket_of_the_first_one(
    findings: Sequence[Any],
) -> None:
    is_link, is_the_first_ones = findings[2]
    assert is_link
    assert not is_the_first_ones


def test_a_moved_home_keeps_its_database(findings: Sequence[Any]) -> None:
    assert findings[3]


@as_root
def test_a_copied_home_of_root_is_refused_until_it_has_a_database_of_its_own(
    home: Path, tmp_path: Path
) -> None:
    with server.connect(home, None) as url:
        write_row(url)
    copy = tmp_path / "copy"
    shutil.copytree(home, copy, symlinks=True)

    with pytest.raises(StorageError, match=f"{copy} is a copy of {home}, ") as caught:
        server.connect(copy, None).__enter__()

    advice = caught.value.fix.partition("search database stop && ")[2]
    subprocess.run(["sh", "-c", advice], check=True)
    with server.connect(copy, None) as copied:
        ask(copied, "DROP TABLE kept")
    with server.connect(home, None) as url:
        assert has_row(url)
    server.remove(copy)


@as_root
def test_a_home_of_root_copied_without_its_links_is_refused(home: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-rL", home, tmp_path / "copy"], capture_output=True, check=False)

    with pytest.raises(StorageError, match=r"belongs to root, .* does not run as root; give it to"):
        server.connect(tmp_path / "copy", None).__enter__()


@as_root
def test_a_place_for_roots_databases_that_cannot_be_made_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(programs, "FOLDER_FOR_ROOT", tmp_path / "file" / "search")

    with pytest.raises(StorageError, match=r"Not a directory; make it a volume, run search as"):
        server.connect(tmp_path / "home", None).__enter__()


@as_root
def test_a_moved_home_of_root_keeps_its_database(fresh_home: Path, tmp_path: Path) -> None:
    with server.connect(fresh_home, None) as url:
        write_row(url)
    moved = fresh_home.rename(tmp_path / "moved")

    with server.connect(moved, None) as url:
        assert has_row(url)
    with server.connect(fresh_home, None) as url:  # a new home at the old place
        assert ask(url, "SELECT to_regclass('kept')") is None
    server.remove(moved)


@as_root
def test_the_data_of_a_removed_home_of_root_are_listed(fresh_home: Path) -> None:
    folder = cluster_of(fresh_home).folder
    assert folder not in abandoned()

    cluster_path(fresh_home).unlink()

    assert folder in abandoned()
    shutil.rmtree(folder)
