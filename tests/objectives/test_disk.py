"""A disk that is full, as /dev/full is: what was to be written waits for room."""

import logging
from pathlib import Path

import pytest
import torch

from objectives import disk
from objectives.checkpoints import commit, newest_good
from objectives.contract import Attempt, DataSource
from objectives.training.checkpoint import Best


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "RETRY_SECONDS", 0.3)


def fill(path: Path) -> None:
    """Let the next write at this path find no room; removing the file makes some."""
    path.symlink_to("/dev/full")


def test_a_checkpoint_waits_for_room_and_is_whole_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "epoch-0001.partial")
    waited: list[None] = []

    with caplog.at_level(logging.WARNING):
        path = commit(tmp_path, 1, lambda at: at.write_text("state"), lambda: waited.append(None))

    assert path.read_text() == "state"
    assert newest_good([tmp_path]) == path
    assert waited
    (line,) = [record.getMessage() for record in caplog.records]
    assert "No space left on device" in line
    assert line.endswith("free some and it goes on")


def test_who_is_stopped_waits_no_longer_and_leaves_nothing_torn(tmp_path: Path) -> None:
    fill(tmp_path / "epoch-0001.partial")

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commit(tmp_path, 1, lambda at: at.write_text("state"), stop)
    assert list(tmp_path.iterdir()) == []


def test_another_error_is_not_waited_out(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        commit(tmp_path, 1, lambda _: tmp_path.write_text("state"))


def test_weights_and_logits_of_the_best_epoch_wait_for_room(tmp_path: Path) -> None:
    best = Best(1, {"weight": torch.ones(2000)}, torch.zeros(2, 3).half(), torch.zeros(2))
    for name in ("best.partial", "best_logits.partial"):
        fill(tmp_path / name)

    best.keep(Attempt(tmp_path, DataSource({"kind": "none"})))

    assert torch.load(tmp_path / "best.pt", weights_only=True)["epoch"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "best_logits.npz"]
