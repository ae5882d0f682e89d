"""Tests of feeding a GPU: from host memory by a thread, and from its own memory."""

import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from objectives.augment.images import augment
from objectives.augment.levels import LEVELS
from objectives.contract import Attempt, DataSource
from objectives.data.pixels.normalization import CENTRED
from objectives.image_classifier import ImageTask
from objectives.recipe.image import ImageRecipe
from objectives.sets.batch import Batch
from objectives.sets.images import ImageSet, subsample
from objectives.sets.opened import open_images
from objectives.training.feed.feed import Feed, training_feed, validation_feed

pytestmark = pytest.mark.gpu

DIGITS = DataSource(layout={"kind": "digits"})
ATTEMPT = Attempt(folder=Path(), data=DIGITS, seed=7, device="cuda")
TASK = ImageTask(ImageRecipe())


def in_host_memory() -> ImageSet:
    return subsample(open_images(Attempt(folder=Path(), data=DIGITS), 32)["train"], 1000, seed=1)


def feed(images: ImageSet, level: str = "light") -> Feed:
    recipe = ImageRecipe.from_config({"batch_size": 32, "augmentation": level})
    return training_feed(images, ImageTask(recipe), ATTEMPT, epoch=1, normalization=CENTRED)


def batches(images: ImageSet, level: str) -> list[Batch]:
    with feed(images, level) as epoch:
        return list(epoch)


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("level", LEVELS)
def test_a_thread_feeds_the_bits_that_the_gpus_own_memory_feeds(level: str) -> None:
    torch.use_deterministic_algorithms(True)
    try:
        fetched = batches(in_host_memory(), level)
        placed = batches(in_host_memory().to("cuda"), level)
    finally:
        torch.use_deterministic_algorithms(False)
    assert len(fetched) == len(placed) == 32
    for one, other in zip(fetched, placed, strict=True):
        assert one.pixels.is_cuda
        assert one.labels.is_cuda
        assert one.pixels.equal(other.pixels)
        assert one.labels.equal(other.labels)


def test_a_slow_reader_finds_its_batches_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = batches(in_host_memory().to("cuda"), "none")
    sums = []
    with feed(in_host_memory(), "none") as epoch:
        for batch in epoch:
            torch.cuda._sleep(20_000_000)  # the device lags behind whoever copies to it
            sums.append(batch.pixels.double().sum())
    assert [each.item() for each in sums] == [
        batch.pixels.double().sum().item() for batch in expected
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_a_gpu_augments_as_a_cpu_does(level: str) -> None:
    pixels = in_host_memory().batch(torch.arange(64)).pixels
    on_cpu, on_gpu = (
        augment(pixels.to(device), torch.Generator().manual_seed(3), level, CENTRED).cpu()
        for device in ("cpu", "cuda")
    )
    # A nearest neighbour on the edge between two pixels may be either.
    assert ((on_cpu - on_gpu).abs() < 1e-2).float().mean() > 0.99


def test_an_epoch_given_up_in_the_middle_ends_its_thread() -> None:
    assert len(list(islice(feed(in_host_memory()), 3))) == 3
    assert not prefetching()
    with feed(in_host_memory()) as epoch:
        next(epoch)
        assert len(prefetching()) == 1
    assert not prefetching()


@pytest.mark.parametrize("level", ["none", "shift", "light", "medical"])
def test_a_batch_never_waits_for_what_the_device_was_given_before(level: str) -> None:
    with feed(in_host_memory().to("cuda"), level) as epoch:
        next(epoch)
        torch.cuda.set_sync_debug_mode("error")
        try:
            assert len(list(epoch)) == 31
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("place", ["cpu", "cuda"])
def test_each_image_keeps_its_row_of_the_table(place: str) -> None:
    images = in_host_memory()
    images = replace(images, tabular=images.labels[:, None].float())
    with feed(images.to(place) if place == "cuda" else images) as epoch:
        for batch in epoch:
            assert batch.tabular is not None
            assert batch.tabular.is_cuda
            assert batch.tabular[:, 0].long().equal(batch.labels)


def test_validation_comes_in_order() -> None:
    validation = open_images(Attempt(folder=Path(), data=DIGITS), 32)["val"]
    with validation_feed(validation, TASK, ATTEMPT, normalization=CENTRED, batch=100) as epoch:
        labels = torch.cat([batch.labels for batch in epoch])
    assert torch.equal(labels.cpu(), validation.labels)
