"""The checkpoints on disk after a write that was interrupted in any way."""

import errno
from pathlib import Path

import pytest

from objectives.files.checkpoints import commit, newest_good


def save(text: str):
    return lambda path: path.write_text(text)


def test_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    paths = [commit(tmp_path, epoch, save(f"state {epoch}")) for epoch in (1, 2, 3)]
    assert sorted(tmp_path.iterdir()) == paths[1:]
    assert newest_good([tmp_path]) == paths[2]
    assert paths[2].name.startswith("epoch-0003-")


@pytest.mark.parametrize("torn", [b"", b"state", b"state 2 and more"])
def test_a_torn_checkpoint_is_skipped_for_the_one_before(tmp_path: Path, torn: bytes) -> None:
    first, second = (commit(tmp_path, epoch, save(f"state {epoch}")) for epoch in (1, 2))
    second.write_bytes(torn)
    assert newest_good([tmp_path]) == first


def test_a_save_that_fails_leaves_the_older_checkpoints_alone(tmp_path: Path) -> None:
    def break_the_disk(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.EIO, "Input/output error")

    first = commit(tmp_path, 1, save("state 1"))
    with pytest.raises(OSError, match="Input/output"):
        commit(tmp_path, 2, break_the_disk)
    assert newest_good([tmp_path]) == first


def test_the_latest_epoch_wins_whichever_attempt_wrote_it(tmp_path: Path) -> None:
    older, newer, missing = tmp_path / "attempt-1", tmp_path / "attempt-2", tmp_path / "attempt-3"
    older.mkdir()
    newer.mkdir()
    latest = commit(older, 5, save("state 5"))
    commit(newer, 4, save("state 4"))
    assert newest_good([missing, newer, older]) == latest
    assert newest_good([missing]) is None
