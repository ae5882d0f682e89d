from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from objectives.contract import DataError, DataSource
from objectives.data import images
from objectives.data.decode import decode
from objectives.data.images import SealedSplit, forget, open_images
from objectives.data.manifest import read_manifest


@pytest.fixture(autouse=True)
def _start_cold() -> Iterator[None]:
    forget()
    yield
    forget()


def spoil(source: DataSource, split: str) -> list[Path]:
    """Overwrite the images of a split with bytes that are none."""
    assert source.folder is not None
    paths = [source.folder / row.path for row in read_manifest(source).split(split)]
    for path in paths:
        path.write_bytes(bytes(path.stat().st_size))
    return paths


def test_every_image_stands_in_its_row_with_its_label_and_group(gleason: DataSource) -> None:
    assert gleason.folder is not None
    train = open_images(gleason, 16)["train"]
    assert train.images.shape == (len(train), 3, 16, 16)
    assert train.images.dtype == torch.uint8
    paths = [row.path for row in read_manifest(gleason).split("train")]
    for row, path in enumerate(paths):
        assert train.images[row].numpy().tobytes() == decode(gleason.folder / path, 16).tobytes()
        assert path.startswith(train.groups[row])
        assert path.endswith(f"_{train.labels[row]}.png")


def test_an_unopened_split_is_sealed(gleason: DataSource) -> None:
    opened = open_images(gleason, 16, splits=("train", "val"))
    with pytest.raises(SealedSplit, match="the test split is sealed"):
        opened["test"]


def test_no_file_of_a_sealed_split_is_decoded(gleason: DataSource) -> None:
    spoil(gleason, "test")
    assert set(open_images(gleason, 16, splits=("train", "val"))) == {"train", "val"}
    with pytest.raises(DataError):
        open_images(gleason, 16, splits=("test",))


def test_a_corrupt_image_is_named(gleason: DataSource) -> None:
    paths = spoil(gleason, "val")
    with pytest.raises(DataError, match=r"_54662_239_250_\d.png: cannot be read") as raised:
        open_images(gleason, 16)
    assert str(paths[0]) in str(raised.value)


def test_an_unknown_split_is_refused(gleason: DataSource) -> None:
    with pytest.raises(ValueError, match="no split is called 'holdout'"):
        open_images(gleason, 16, splits=("holdout",))


def test_the_next_trial_gets_the_same_tensors_without_reading(gleason: DataSource) -> None:
    first = open_images(gleason, 16)
    spoil(gleason, "train")
    assert open_images(gleason, 16)["train"] is first["train"]


def test_another_size_is_decoded_anew(gleason: DataSource) -> None:
    open_images(gleason, 16)
    assert open_images(gleason, 8)["val"].images.shape[2:] == (8, 8)


def test_other_data_pushes_out_what_was_warm(gleason: DataSource) -> None:
    open_images(gleason, 16)
    open_images(DataSource({"kind": "digits"}), 8)
    assert len(images._sets) == 2


def test_the_cache_gives_what_decoding_gives_and_to_a_new_process_too(
    gleason: DataSource, tmp_path: Path
) -> None:
    decoded = open_images(gleason, 16)["train"].images
    for _ in range(2):
        forget()
        cached = open_images(gleason, 16, cache=tmp_path / "cache")["train"].images
        assert torch.equal(cached, decoded)


def test_the_cache_holds_the_opened_splits_only(gleason: DataSource, tmp_path: Path) -> None:
    open_images(gleason, 16, cache=tmp_path / "cache")
    names = {path.stem.split("-")[-1] for path in (tmp_path / "cache").glob("*.npy")}
    assert names == {"train", "val"}


def test_an_image_replaced_by_one_of_equal_size_is_decoded_again(
    gleason: DataSource, tmp_path: Path
) -> None:
    open_images(gleason, 16, cache=tmp_path / "cache")
    spoil(gleason, "val")
    forget()
    with pytest.raises(DataError, match="cannot be read"):
        open_images(gleason, 16, cache=tmp_path / "cache")


def test_progress_is_called_for_every_image(gleason: DataSource) -> None:
    beats: list[None] = []
    opened = open_images(gleason, 16, progress=lambda: beats.append(None))
    assert len(beats) == len(opened["train"]) + len(opened["val"])


def test_a_batch_holds_the_images_of_its_indices(gleason: DataSource) -> None:
    train = open_images(gleason, 16)["train"]
    indices = torch.tensor([5, 0, 5, 11])
    batch, labels = train.batch(indices)
    assert torch.equal(batch, train.images[indices])
    assert torch.equal(labels, train.labels[indices])
