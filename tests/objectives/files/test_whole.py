"""Files are whole or absent, whatever other processes do in their folder."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from objectives.files.whole import ABANDONED_SECONDS, write_text_whole, write_whole


def test_a_file_takes_the_place_of_the_older_one_and_leaves_no_other(tmp_path: Path) -> None:
    for text in ("older", "newer"):
        assert write_text_whole(tmp_path / "note.json", text) == tmp_path / "note.json"
    assert (tmp_path / "note.json").read_text() == "newer"
    assert list(tmp_path.iterdir()) == [tmp_path / "note.json"]


def test_a_save_that_fails_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    path = write_text_whole(tmp_path / "note.json", "older")

    def break_off(partial: Path) -> None:
        partial.write_text("half")
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        write_whole(path, break_off)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "older"


def test_a_full_disk_is_an_error_to_a_writer_that_cannot_wait(tmp_path: Path) -> None:
    def fill(partial: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "note.json", fill)


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "note.json"

    def save_while_another_does(partial: Path) -> None:
        partial.write_text("first")
        write_text_whole(path, "second")
        assert partial.read_text() == "first"

    write_whole(path, save_while_another_does)
    assert path.read_text() == "first"


def test_a_partial_file_goes_only_once_its_writer_must_be_dead(tmp_path: Path) -> None:
    abandoned, fresh = tmp_path / "note.json.1.partial", tmp_path / "note.json.2.partial"
    other = tmp_path / "others.json.1.partial"
    day_ago = time.time() - ABANDONED_SECONDS - 1
    for path in (abandoned, fresh, other):
        path.write_text("half")
    for path in (abandoned, other):
        os.utime(path, (day_ago, day_ago))
    write_text_whole(tmp_path / "note.json", "whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "note.json", fresh, other}


def test_the_files_of_a_trial_are_handled_without_torch() -> None:
    modules = "objectives.files.whole, objectives.files.checkpoints, objectives.files.disk"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("note.json")

    assert write_text_whole(tmp_path / "link.json", "text") == tmp_path / "link.json"
    assert (tmp_path / "link.json").readlink() == Path("note.json")
    assert (tmp_path / "note.json").read_text() == "text"
    assert len(list(tmp_path.iterdir())) == 2
