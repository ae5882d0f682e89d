"""Which checkpoint of a framework an attempt goes on from, without the frameworks."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from search.callbacks import checkpoints
from search.callbacks.checkpoints import newest_checkpoint
from search.script import Trial

STATE = "trainer_state.json"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder of an earlier attempt, and that of the one which goes on from it."""
    before, now = tmp_path / "1", tmp_path / "2"
    before.mkdir()
    now.mkdir()
    (now / "trial.json").write_text(json.dumps({"folder": str(now), "resume_from": str(before)}))
    monkeypatch.setenv("SEARCH_TRIAL_FILE", str(now / "trial.json"))
    monkeypatch.setattr(checkpoints, "trial", Trial())
    return before, now


def of_lightning(path: Path) -> Path:
    """Write an archive as torch does."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", path.name * 100)
    return path


def of_transformers(path: Path) -> Path:
    """Write a folder as Hugging Face's Trainer does."""
    path.mkdir()
    of_lightning(path / "optimizer.pt")
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    tensors = len(header).to_bytes(8, "little") + header + bytes(8)
    (path / "model.safetensors").write_bytes(tensors)
    (path / STATE).write_text("{}")
    return path


def test_the_newest_by_number_is_the_one(folders: tuple[Path, Path]) -> None:
    for epoch in (9, 10, 8):
        of_lightning(folders[0] / f"reported-{epoch}.ckpt")

    assert newest_checkpoint("reported-*.ckpt") == str(folders[0] / "reported-10.ckpt")


def test_without_an_earlier_attempt_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "trial", Trial())

    assert newest_checkpoint("reported-*.ckpt") is None


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_torn_file_is_passed_over(folders: tuple[Path, Path], kept: float) -> None:
    whole = of_lightning(folders[0] / "reported-1.ckpt")
    torn = of_lightning(folders[0] / "reported-2.ckpt")
    torn.write_bytes(torn.read_bytes()[: int(kept * torn.stat().st_size)])

    assert newest_checkpoint("reported-*.ckpt") == str(whole)


def test_a_file_of_the_right_size_with_other_bytes_is_passed_over(
    folders: tuple[Path, Path],
) -> None:
    damaged = of_lightning(folders[0] / "reported-2.ckpt")
    damaged.write_bytes(damaged.read_bytes().replace(b"reported", b"\0\0\0\0\0\0\0\0"))

    assert newest_checkpoint("reported-*.ckpt") is None


def cut(name: str) -> Callable[[Path], object]:
    """Return what takes the last byte from a file of a checkpoint."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-1])


@pytest.mark.parametrize(
    "damage",
    [
        cut("optimizer.pt"),
        cut("model.safetensors"),
        cut(STATE),
        lambda folder: (folder / STATE).unlink(),
    ],
    ids=["optimizer", "model", "state", "no state"],
)
def test_a_folder_is_whole_only_with_all_its_files(
    folders: tuple[Path, Path], damage: Callable[[Path], object]
) -> None:
    whole = of_transformers(folders[0] / "checkpoint-23")
    damage(of_transformers(folders[0] / "checkpoint-46"))

    assert newest_checkpoint("checkpoint-*", last=STATE) == str(whole)


def test_an_attempt_that_saved_nothing_hands_on_what_it_went_on_from(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, now = folders
    of_transformers(before / "checkpoint-23")
    newest_checkpoint("checkpoint-*", last=STATE)
    newest_checkpoint("checkpoint-*", last=STATE)  # as a second rank does
    facts = {"folder": str(now.parent), "resume_from": str(now)}
    (now / "trial.json").write_text(json.dumps(facts))
    monkeypatch.setattr(checkpoints, "trial", Trial())

    assert newest_checkpoint("checkpoint-*", last=STATE) == str(now / "checkpoint-23")
