"""A text is written to the very place that a user names: through links, never over a device."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from search.errors import UsageError
from search.exports.out import write_out


def test_a_link_and_a_link_to_a_link_stay_and_their_file_is_written(tmp_path: Path) -> None:
    file, link, far = tmp_path / "best.yaml", tmp_path / "link", tmp_path / "far"
    file.write_text("older")
    link.symlink_to("best.yaml")
    far.symlink_to(link)

    write_out(far, "newer")

    assert (far.readlink(), link.readlink()) == (link, Path("best.yaml"))
    assert file.read_text() == "newer"
    assert sorted(tmp_path.iterdir()) == sorted([file, link, far])


def test_a_link_to_a_file_that_is_not_there_makes_that_file(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "link").symlink_to("results/best.yaml")

    write_out(tmp_path / "link", "text")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "results" / "best.yaml").read_text() == "text"


def test_a_file_with_a_second_name_keeps_both(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("older and longer")
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    write_out(tmp_path / "two", "newer")

    assert (tmp_path / "one").read_text() == "newer"


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "best.yaml"
    file.touch(mode=0o640)
    file.chmod(0o640)

    write_out(file, "text")

    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_named_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()

    write_out(pipe, "text")
    reader.join()

    assert got == ["text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to_and_stays() -> None:
    write_out(Path("/dev/null"), "text")

    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "{file}"])
def test_the_path_of_stdout_is_stdout_and_keeps_what_stands_there(
    tmp_path: Path, path: str
) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("first\n")
    write = (
        "import sys; from pathlib import Path; from search.exports.out import write_out;"
        "write_out(Path(sys.argv[1]), 'second\\n')"
    )

    with file.open("a") as appended:
        words = [sys.executable, "-c", write, path.format(file=file)]
        subprocess.run(words, stdout=appended, check=True)

    assert file.read_text() == "first\nsecond\n"


def test_a_full_device_is_one_error_that_names_it() -> None:
    with pytest.raises(UsageError, match="/dev/full: No space left on device; choose another"):
        write_out(Path("/dev/full"), "text")


def test_a_folder_that_is_not_there_is_made_and_said(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deeper" / "best.yaml"

    assert write_out(file, "text")
    assert not write_out(file, "text")
    assert file.read_text() == "text"


def _folder(path: Path) -> None:
    path.mkdir()


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _lost_folder(path: Path) -> None:
    path.symlink_to("not there/best.yaml")


@pytest.mark.parametrize("make", [_folder, _circle, _lost_folder])
def test_a_place_that_takes_no_text_is_refused_and_left(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "best.yaml")
    before = [(path, path.lstat().st_ino) for path in tmp_path.rglob("*")]

    with pytest.raises((UsageError, OSError)):
        write_out(tmp_path / "best.yaml", "text")

    assert [(path, path.lstat().st_ino) for path in tmp_path.rglob("*")] == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "best.yaml"
    file.write_text("older")
    file.chmod(0o444)

    with pytest.raises(UsageError, match="may not be written"):
        write_out(file, "newer")

    assert file.read_text() == "older"
