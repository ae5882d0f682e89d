"""A full disk, as /dev/full is: writers wait for room."""

import errno
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch

from objectives.contract import Attempt, DataSource
from objectives.files import disk
from objectives.files.checkpoints import commit, newest_good
from objectives.training.records.best import Best, keep_best, save_state

Fill = Callable[[str], None]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "RETRY_SECONDS", 0.3)


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Let the next write of a file of this name find no room; removing its partial makes some."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "own")
    return lambda name: (tmp_path / f"{name}.own.partial").symlink_to("/dev/full")


@contextmanager
def noting_errors(raised: list[type[BaseException]]) -> Iterator[None]:
    """Keep the types of the errors that pass."""
    try:
        yield
    except BaseException as error:
        raised.append(type(error))
        raise


def test_a_checkpoint_waits_for_room_and_is_whole_then(
    tmp_path: Path, fill: Fill, caplog: pytest.LogCaptureFixture
) -> None:
    fill("epoch-0001")
    waited: list[None] = []

    with caplog.at_level(logging.WARNING):
        path = commit(tmp_path, 1, lambda at: at.write_text("state"), lambda: waited.append(None))

    assert path.read_text() == "state"
    assert newest_good([tmp_path]) == path
    assert waited
    (line,) = [record.getMessage() for record in caplog.records]
    assert "No space left on device" in line
    assert line.endswith("free some space to go on")


def test_a_disk_that_fills_in_the_middle_of_a_checkpoint_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A limit on a file's size is a disk that fills up for one process: the kernel refuses the rest.
    monkeypatch.setattr(disk, "FULL", (errno.EFBIG,))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    state = {f"layer {number}": torch.ones(20_000) for number in range(4)}
    raised: list[type[BaseException]] = []

    def save(at: Path) -> None:
        with noting_errors(raised):
            save_state(state, at)

    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        make_room = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        path = commit(tmp_path, 1, save, make_room)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert raised == [RuntimeError]  # torch's own, the disk's stands behind it
    assert torch.load(path, weights_only=True)["layer 3"].sum() == 20_000
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_half_written_goes_with_any_error(tmp_path: Path) -> None:
    def save(at: Path) -> None:
        at.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commit(tmp_path, 1, save)
    assert list(tmp_path.iterdir()) == []


def test_who_is_stopped_waits_no_longer_and_leaves_nothing_torn(tmp_path: Path, fill: Fill) -> None:
    fill("epoch-0001")

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commit(tmp_path, 1, lambda at: at.write_text("state"), stop)
    assert list(tmp_path.iterdir()) == []


def test_another_error_is_not_waited_out(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        commit(tmp_path, 1, lambda _: tmp_path.write_text("state"))


def test_weights_and_logits_of_the_best_epoch_wait_for_room(tmp_path: Path, fill: Fill) -> None:
    best = Best(
        epoch=1,
        model={"weight": torch.ones(2000)},
        logits=torch.zeros(2, 3).half(),
        labels=torch.zeros(2),
    )
    for name in ("best.pt", "best_logits.npz"):
        fill(name)

    keep_best(Attempt(folder=tmp_path, data=DataSource(layout={"kind": "none"})), [best])

    assert torch.load(tmp_path / "best.pt", weights_only=True)["epoch"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "best_logits.npz"]
