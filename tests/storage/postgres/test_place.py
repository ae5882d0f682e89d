"""A home works under any path; moved it keeps its database, and a copy has one of its own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.postgres import programs, server
from storage.postgres.cluster import cluster_of
from storage.postgres.place import abandoned, cluster_path
from tests.storage.postgres.server_user import as_ordinary_user, ask, has_row, write_row

# Also in an encoding that is not UTF-8, and with characters that shells, URLs and libpq treat.
ODD = "a,b \"c\" 'd' $(e) `f` 100%41 \\g\nh;&?#=@ö \udce9"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own way of running Postgres")

COPY = "copy = home.with_name('copy')\n"


def test_a_home_of_an_ordinary_user_has_any_path(home_of_nobody: Path) -> None:
    code = f"""
home = home.parents[1] / {ODD!r}
with server.connect(home, None) as url:
    print(ask(url, "SELECT 1"), server.status(home).is_running)
server.remove(home)
"""
    assert as_ordinary_user(home_of_nobody, COPY + code) == "1 True"


def test_a_copied_home_has_a_database_of_its_own(home_of_nobody: Path) -> None:
    code = """
with server.connect(home, None) as url:
    write_row(url)
subprocess.run(["cp", "-a", home, copy], check=True)
with server.connect(home, None) as url, server.connect(copy, None) as copied:
    assert url != copied
    assert has_row(copied)
    ask(copied, "DROP TABLE kept")
    print(has_row(url))
server.remove(home)
server.remove(copy)
"""
    assert as_ordinary_user(home_of_nobody, COPY + code) == "True"


def test_a_home_that_was_copied_while_its_server_ran_is_refused(home_of_nobody: Path) -> None:
    code = """
with server.connect(home, None) as url:
    subprocess.run(["cp", "-a", home, copy], check=True)
    print(server.stop(copy))
    for use in (server.start, server.status):
        try:
            use(copy)
        except StorageError as error:
            print(error)
server.remove(home)
"""
    said, *refused = as_ordinary_user(home_of_nobody, COPY + code).splitlines()
    assert said == "False"
    assert len(refused) == 2
    for each in refused:
        assert re.search(r"was copied while its Postgres ran, .*; stop .* and copy it again", each)


def test_a_snapshot_of_a_disk_never_takes_the_socket_of_the_first_one(home_of_nobody: Path) -> None:
    code = """
with server.connect(home, None):
    cluster = server.cluster_of(home)
    first = cluster.socket
mark = first / "mark"
mark.write_text(mark.read_text().replace(str(home.stat().st_dev), "the first disk"))
with server.connect(home, None):
    print((home / "postgres" / "socket").is_symlink(), cluster.socket == first)
(mark.unlink(), first.rmdir())
server.remove(home)
"""
    assert as_ordinary_user(home_of_nobody, code) == "True False"


def test_a_moved_home_keeps_its_database(home_of_nobody: Path) -> None:
    code = """
with server.connect(home, None) as url:
    write_row(url)
with server.connect(home.rename(copy), None) as url:
    print(has_row(url))
server.remove(copy)
"""
    assert as_ordinary_user(home_of_nobody, COPY + code) == "True"


@as_root
def test_a_copied_home_of_root_is_refused_until_it_has_a_database_of_its_own(
    fresh_home: Path, tmp_path: Path
) -> None:
    with server.connect(fresh_home, None) as url:
        write_row(url)
    copy = tmp_path / "copy"
    shutil.copytree(fresh_home, copy, symlinks=True)

    with pytest.raises(StorageError, match=f"{copy} is a copy of {fresh_home}, ") as caught:
        server.connect(copy, None).__enter__()

    advice = caught.value.fix.partition("search database stop && ")[2]
    subprocess.run(["sh", "-c", advice], check=True)
    with server.connect(copy, None) as copied:
        ask(copied, "DROP TABLE kept")
    with server.connect(fresh_home, None) as url:
        assert has_row(url)
    server.remove(copy)


@as_root
def test_a_home_of_root_copied_without_its_links_is_refused(
    fresh_home: Path, tmp_path: Path
) -> None:
    with server.connect(fresh_home, None):
        pass
    subprocess.run(["cp", "-rL", fresh_home, tmp_path / "copy"], capture_output=True, check=False)

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
