import json
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor

from objectives.contract import Attempt, DataError, DataSource
from objectives.data.manifest.listed import list_data
from objectives.data.manifest.manifest import read_manifest
from objectives.data.pixels.decode import decode
from objectives.sets.images import subsample
from objectives.sets.opened import OpenSplits, SealedSplit, WarmSets, open_images


def attempt_at(
    source: DataSource,
    splits: tuple[str, ...] = ("train", "val"),
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Attempt:
    return Attempt(folder=Path(), data=source, splits=splits, cache=cache, progress=progress)


def open_cold(
    source: DataSource,
    image_size: int,
    splits: tuple[str, ...] = ("train", "val"),
    cache: Path | None = None,
    **wanted: Any,
) -> OpenSplits:
    """Open the splits as the first trial of a new process does."""
    return WarmSets().open(attempt_at(source, splits, cache), image_size, **wanted)


def spoil(source: DataSource, split: str) -> list[Path]:
    """Overwrite the images of a split with bytes that are none."""
    assert source.folder is not None
    paths = [source.folder / row.path for row in read_manifest(source).split(split)]
    for path in paths:
        path.write_bytes(bytes(path.stat().st_size))
    return paths


def test_decoded_images_of_one_page_are_not_taken_for_another(
    class_folders: Callable[..., DataSource], tmp_path: Path
) -> None:
    source = class_folders("a", "b", images=20)
    assert source.folder is not None
    for path in sorted(source.folder.rglob("*.png")):
        image = Image.open(path)
        image.save(path, "TIFF", save_all=True, append_images=[ImageOps.invert(image)])
    first, second = (
        open_cold(
            replace(source, layout={**source.layout, "page": page}), 16, cache=tmp_path / "cache"
        )["train"].images
        for page in (1, 2)
    )
    assert (first.int() + second - 255).abs().max() <= 2


def test_every_image_stands_in_its_row_with_its_label_and_group(gleason: DataSource) -> None:
    assert gleason.folder is not None
    train = open_cold(gleason, 16)["train"]
    assert train.images.shape == (len(train), 3, 16, 16)
    assert train.images.dtype == torch.uint8
    paths = [row.path for row in read_manifest(gleason).split("train")]
    for row, path in enumerate(paths):
        assert train.images[row].numpy().tobytes() == decode(gleason.folder / path, 16).tobytes()
        assert path.startswith(train.groups[row])
        assert path.endswith(f"_{train.labels[row]}.png")


@pytest.mark.parametrize("cached", [False, True])
def test_all_folds_are_made_of_what_is_decoded_once(
    gleason: DataSource, tmp_path: Path, cached: bool
) -> None:
    beats: list[None] = []
    folds, manifest = replace(gleason, folds=3), read_manifest(replace(gleason, folds=3))
    cache, sets = tmp_path / "cache" if cached else None, WarmSets()
    for fold in (1, 2, 3):
        attempt = attempt_at(folds, cache=cache, progress=lambda: beats.append(None))
        opened = sets.open(attempt, 16, fold=fold)
        for split, found in opened.items():
            assert found.paths == tuple(row.path for row in manifest.split(split, fold))
            label = [row.class_index for row in manifest.split(split, fold)]
            assert found.labels.tolist() == label
            assert found.images.data_ptr() == opened["train"].images.data_ptr()
    assert len(beats) == len(manifest.rows) - len(manifest.split("test"))
    assert len(list(tmp_path.glob("cache/*.npy"))) == int(cached)


def test_no_test_image_is_among_what_folds_are_made_of(gleason: DataSource) -> None:
    folds = replace(gleason, folds=3)
    spoil(folds, "test")
    assert set(open_cold(folds, 16, fold=2)) == {"train", "val"}


def test_a_fold_is_sampled_from_its_own_images(gleason: DataSource) -> None:
    folds = replace(gleason, folds=3)
    whole, sample = (
        open_cold(folds, 16, at_most=limits, fold=2)["val"] for limits in ({}, {"val": 9})
    )
    assert len(sample) == 9
    assert set(sample.paths) <= set(whole.paths)
    where = {path: row for row, path in enumerate(whole.paths)}
    rows = torch.tensor([where[path] for path in sample.paths])
    assert sample.batch(torch.arange(9)).pixels.equal(whole.batch(rows).pixels)


def test_an_unopened_split_is_sealed(gleason: DataSource) -> None:
    opened = open_cold(gleason, 16, splits=("train", "val"))
    with pytest.raises(SealedSplit, match="the test split is sealed"):
        opened["test"]


def test_no_file_of_a_sealed_split_is_decoded(gleason: DataSource) -> None:
    spoil(gleason, "test")
    assert set(open_cold(gleason, 16, splits=("train", "val"))) == {"train", "val"}
    with pytest.raises(DataError):
        open_cold(gleason, 16, splits=("test",))


def test_a_corrupt_image_is_named(gleason: DataSource) -> None:
    paths = spoil(gleason, "val")
    with pytest.raises(DataError, match=r"_54662_239_250_\d.png: cannot be read") as raised:
        open_cold(gleason, 16)
    assert str(paths[0]) in str(raised.value)


def test_an_unknown_split_is_refused(gleason: DataSource) -> None:
    with pytest.raises(ValueError, match="no split is called 'holdout'"):
        open_cold(gleason, 16, splits=("holdout",))


def test_the_next_trial_gets_the_same_tensors_without_reading(gleason: DataSource) -> None:
    attempt = attempt_at(list_data(gleason))
    first = open_images(attempt, 16)
    spoil(gleason, "train")
    assert open_images(attempt, 16)["train"] is first["train"]


def test_another_size_is_decoded_anew(gleason: DataSource) -> None:
    open_images(attempt_at(gleason), 16)
    assert open_images(attempt_at(gleason), 8)["val"].images.shape[2:] == (8, 8)


def test_the_size_before_the_last_one_is_still_in_memory_and_no_older_one(
    gleason: DataSource,
) -> None:
    sets, attempt = WarmSets(), attempt_at(gleason)
    oldest, before = (weakref.ref(sets.open(attempt, size)["train"]) for size in (8, 12))
    sets.open(attempt, 16)
    assert oldest() is None
    assert sets.open(attempt, 12)["train"] is before()


def test_other_data_push_the_warm_ones_out_of_memory(gleason: DataSource) -> None:
    sets = WarmSets()
    warm = weakref.ref(sets.open(attempt_at(gleason), 16)["train"])
    assert warm() is not None
    sets.open(attempt_at(DataSource(layout={"kind": "digits"})), 8)
    assert warm() is None


def test_the_cache_gives_what_decoding_gives_and_to_a_new_process_too(
    gleason: DataSource, tmp_path: Path
) -> None:
    decoded = open_cold(gleason, 16)["train"].images
    for _ in range(2):
        cached = open_cold(gleason, 16, cache=tmp_path / "cache")["train"].images
        assert torch.equal(cached, decoded)


def test_the_cache_holds_the_opened_splits_only(gleason: DataSource, tmp_path: Path) -> None:
    open_cold(gleason, 16, cache=tmp_path / "cache")
    names = {path.stem.split("-")[-1] for path in (tmp_path / "cache").glob("*.npy")}
    assert names == {"train", "val"}


def test_an_image_replaced_by_one_of_equal_size_is_decoded_again(
    gleason: DataSource, tmp_path: Path
) -> None:
    open_cold(gleason, 16, cache=tmp_path / "cache")
    spoil(gleason, "val")
    with pytest.raises(DataError, match="cannot be read"):
        open_cold(gleason, 16, cache=tmp_path / "cache")


BUILDER = r"""
import json, os, sys, time
from pathlib import Path
from objectives.contract import Attempt, DataSource
from objectives.data.layouts.file_names import FileNames
from objectives.sets.opened import open_images

decode = FileNames.pixels_of

def tell(layout, path, image_size):
    os.write(1, b"decoding\n")  # whole lines, from several threads
    time.sleep(0.05)
    return decode(layout, path, image_size)

FileNames.pixels_of = tell
folder, cache, layout, workers = sys.argv[1:]
source = DataSource(layout=json.loads(layout), folder=Path(folder))
for _ in range(1, int(workers)):
    os.fork()  # before any thread is started; importing torch once more would take seconds
attempt = Attempt(folder=Path(), data=source, splits=("train",), cache=Path(cache))
total = int(open_images(attempt, 64)["train"].images.sum())
os.write(1, f"{total}\n".encode())
"""


def start_builders(source: DataSource, cache: Path, workers: int = 1) -> "subprocess.Popen[str]":
    """Start workers that decode the images; the lines of all come out of one pipe."""
    arguments = [str(source.folder), str(cache), json.dumps(source.layout), str(workers)]
    command = [sys.executable, "-c", BUILDER, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_workers_that_start_at_once_decode_every_image_once(
    gleason: DataSource, tmp_path: Path
) -> None:
    lines = start_builders(gleason, tmp_path / "cache", workers=2).communicate()[0].splitlines()
    images = open_cold(gleason, 64, ("train",))["train"].images
    assert lines.count("decoding") == len(images)
    assert [line for line in lines if line != "decoding"] == 2 * [str(int(images.sum()))]


@pytest.mark.slow
def test_what_a_killed_worker_left_behind_is_decoded_again(
    gleason: DataSource, tmp_path: Path
) -> None:
    builder = start_builders(gleason, tmp_path / "cache")
    assert builder.stdout is not None
    assert builder.stdout.readline() == "decoding\n"
    builder.kill()
    builder.communicate()
    plain = open_cold(gleason, 64, ("train",))["train"].images
    assert not list((tmp_path / "cache").glob("*.npy"))
    assert torch.equal(
        open_cold(gleason, 64, ("train",), tmp_path / "cache")["train"].images, plain
    )
    assert not list((tmp_path / "cache").glob("*.partial"))


def resident_kilobytes(file: Path) -> int:
    """Read how much of a mapped file this process holds."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(str(file)))
    return next(int(line.split()[1]) for line in lines[at:] if line.startswith("Rss:"))


def test_what_was_read_out_of_the_cache_is_not_kept_in_the_process(
    gleason: DataSource, tmp_path: Path
) -> None:
    train = open_cold(gleason, 64, cache=tmp_path)["train"]
    (file,) = tmp_path.glob("*-train.npy")
    train.images.sum()
    assert resident_kilobytes(file) > 500
    train.batch(torch.arange(len(train)))
    assert resident_kilobytes(file) < 100


def test_progress_is_called_for_every_image(gleason: DataSource) -> None:
    beats: list[None] = []
    opened = WarmSets().open(attempt_at(gleason, progress=lambda: beats.append(None)), 16)
    assert len(beats) == len(opened["train"]) + len(opened["val"])


def test_a_batch_holds_the_images_of_its_indices(gleason: DataSource) -> None:
    train = open_cold(gleason, 16)["train"]
    indices = torch.tensor([5, 0, 5, 11])
    batch = train.batch(indices)
    assert torch.equal(batch.pixels, train.images[indices])
    assert torch.equal(batch.labels, train.labels[indices])


def test_a_sample_holds_some_of_the_images_and_copies_none(gleason: DataSource) -> None:
    train = open_cold(gleason, 16)["train"]
    sample = subsample(train, 11, seed=3)
    assert len(sample) == len(sample.groups) == 11
    assert sample.images.data_ptr() == train.images.data_ptr()
    assert sample.nbytes == 11 * 3 * 16 * 16
    assert sample.index is not None
    batch = sample.batch(torch.tensor([10, 0]))
    assert torch.equal(batch.pixels, train.images[sample.index[[10, 0]]])
    assert torch.equal(batch.labels, train.labels[sample.index[[10, 0]]])
    assert sample.groups == tuple(train.groups[row] for row in sample.index)


def test_a_sample_of_a_sample_and_a_moved_one_have_the_same_images(gleason: DataSource) -> None:
    sample = subsample(open_cold(gleason, 16)["train"], 20, seed=3)
    smaller, moved = subsample(sample, 9, seed=3), subsample(sample, 9, seed=3).to("cpu")
    everything = torch.arange(9)
    assert len(moved.images) == 9
    one, other = smaller.batch(everything), moved.batch(everything)
    assert torch.equal(one.pixels, other.pixels)
    assert torch.equal(one.labels, other.labels)
    assert subsample(sample, 0, seed=3) is subsample(sample, 20, seed=3) is sample


def test_only_the_images_of_a_sample_are_decoded(gleason: DataSource, tmp_path: Path) -> None:
    beats: list[None] = []

    def sample(cache: Path | None) -> Tensor:
        attempt = attempt_at(gleason, ("train",), cache, lambda: beats.append(None))
        opened = WarmSets().open(attempt, 16, at_most={"train": 9})
        return opened["train"].batch(torch.arange(9)).pixels

    first = sample(cache=None)
    assert len(beats) == 9
    assert torch.equal(sample(tmp_path), first)
    assert torch.equal(sample(tmp_path), first)
    assert len(beats) == 18


def test_a_sample_comes_out_of_the_whole_split_where_that_is_decoded(
    gleason: DataSource, tmp_path: Path
) -> None:
    sets, attempt = WarmSets(), attempt_at(gleason, ("train",), tmp_path)
    whole = sets.open(attempt, 16)["train"]
    warm = sets.open(attempt, 16, at_most={"train": 9})["train"]
    assert warm.images.data_ptr() == whole.images.data_ptr()
    cold = open_cold(gleason, 16, ("train",), tmp_path, at_most={"train": 9})["train"]
    assert len(list(tmp_path.glob("*.npy"))) == 1
    assert torch.equal(cold.batch(torch.arange(9)).pixels, warm.batch(torch.arange(9)).pixels)
