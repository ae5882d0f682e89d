"""The batches that a training step gets."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from objectives.augment.images import normalize
from objectives.augment.levels import LEVELS
from objectives.contract import Attempt, DataSource
from objectives.data.pixels.normalization import CENTRED
from objectives.image_classifier import ImageTask
from objectives.recipe.image import ImageRecipe
from objectives.sets.batch import Batch
from objectives.sets.images import ImageSet, subsample
from objectives.sets.opened import open_images
from objectives.training.feed.feed import Feed, training_feed, validation_feed
from objectives.training.feed.prefetch import ahead

DIGITS = DataSource(layout={"kind": "digits"})


def task(**more: object) -> ImageTask:
    config = {"batch_size": 64, "augmentation": "light", **more}
    return ImageTask(ImageRecipe.from_config(config))


def attempt(seed: int = 7) -> Attempt:
    return Attempt(folder=Path(), data=DIGITS, seed=seed)


def digits(split: str = "train") -> ImageSet:
    return open_images(Attempt(folder=Path(), data=DIGITS), 16)[split]


def epoch(number: int = 1, seed: int = 7, **more: object) -> tuple[Tensor, Tensor]:
    """Give the images and labels of a whole epoch, in its order."""
    with training_feed(
        digits(), task(**more), attempt(seed), epoch=number, normalization=CENTRED
    ) as feed:
        images, labels = zip(*((batch.pixels, batch.labels) for batch in feed), strict=True)
    return torch.cat(images), torch.cat(labels)


@pytest.mark.parametrize("level", LEVELS)
def test_the_seed_and_the_epoch_decide_every_batch(level: str) -> None:
    first = epoch(augmentation=level)
    torch.manual_seed(99)
    assert all(map(torch.equal, epoch(augmentation=level), first))
    assert not torch.equal(epoch(2, augmentation=level)[0], first[0])
    assert not torch.equal(epoch(seed=8, augmentation=level)[0], first[0])


def test_an_epoch_has_every_image_once_in_batches_of_one_size() -> None:
    with training_feed(
        digits(), task(augmentation="none"), attempt(), epoch=1, normalization=CENTRED
    ) as feed:
        batches = [batch.pixels for batch in feed]
    assert {len(images) for images in batches} == {61, 62}  # 1,283 in 21 batches of at most 64
    seen = torch.cat(batches).flatten(1).sum(1).sort().values
    expected = normalize(digits().images, CENTRED).flatten(1).sum(1).sort().values
    assert torch.allclose(seen, expected, atol=1e-3)


def test_a_sampler_feeds_every_class_equally_often() -> None:
    even = subsample(digits(), 1200, seed=0)
    keep = (even.labels != 3) | (torch.arange(1200) % 10 == 0)
    rare = even.only(keep.nonzero().flatten())
    with training_feed(
        rare, task(balancing="sampler"), attempt(), epoch=1, normalization=CENTRED
    ) as feed:
        labels = torch.cat([batch.labels for batch in feed])
    assert labels.bincount()[3] > 3 * rare.labels.bincount()[3]


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "none"])
def test_training_and_validation_never_share_a_transform(level: str) -> None:
    plain = normalize(digits("val").images, CENTRED)
    with validation_feed(digits("val"), task(), attempt(), normalization=CENTRED) as feed:
        assert torch.equal(torch.cat([batch.pixels for batch in feed]), plain)
    with training_feed(
        digits("val"), task(augmentation=level), attempt(), epoch=1, normalization=CENTRED
    ) as feed:
        trained = next(feed).pixels
    assert not any(image.equal(other) for image in trained for other in plain)


@pytest.mark.parametrize("batch", [1, 100, 256, 1000])
def test_validation_comes_in_its_own_order_whatever_the_batch(batch: int) -> None:
    with validation_feed(
        digits("val"), task(), attempt(), normalization=CENTRED, batch=batch
    ) as feed:
        batches = list(feed)
    assert len(batches) == -(-len(digits("val")) // batch)
    assert torch.equal(torch.cat([batch.labels for batch in batches]), digits("val").labels)


def test_a_sample_feeds_its_own_images_only() -> None:
    sample = subsample(digits(), 100, seed=1)
    own = normalize(sample.batch(torch.arange(100)).pixels, CENTRED)
    none = task(augmentation="none")
    for feed in (
        training_feed(sample, none, attempt(), epoch=1, normalization=CENTRED),
        validation_feed(sample, none, attempt(), normalization=CENTRED),
    ):
        images = torch.cat([batch.pixels for batch in feed])
        assert len(images) == 100
        assert torch.allclose(images.sum(0), own.sum(0), atol=1e-3)


def test_only_the_time_spent_waiting_for_a_batch_is_counted() -> None:
    spent = {"there": 0.0, "here": 0.0}

    def sleep(where: str, seconds: float) -> None:
        started = time.perf_counter()
        time.sleep(seconds)
        spent[where] += time.perf_counter() - started

    def slow() -> Iterator[Batch]:
        for _ in range(3):
            sleep("there", 0.05)
            yield Batch(torch.zeros(1), torch.zeros(1))

    started = time.perf_counter()
    feed = Feed(slow())  # type: ignore[arg-type]
    for _ in feed:
        sleep("here", 0.1)
    assert spent["there"] <= feed.wait_seconds <= time.perf_counter() - started - spent["here"]


@pytest.fixture
def threads() -> Callable[[], int]:
    """Counts the threads that were started since the test began and still run."""
    before = threading.active_count()
    return lambda: threading.active_count() - before


def numbers(given: list[int], last: int = 100) -> Iterator[int]:
    for number in range(last):
        given.append(number)
        yield number


def test_what_is_prefetched_comes_in_order_from_one_thread(threads) -> None:
    readers = set()

    def items() -> Iterator[int]:
        for number in range(50):
            readers.add(threading.get_ident())
            yield number

    assert list(ahead(items(), 2)) == list(range(50))
    assert len(readers - {threading.get_ident()}) == len(readers) == 1
    assert threads() == 0


def test_no_more_is_prefetched_than_asked_for() -> None:
    given: list[int] = []
    items = ahead(numbers(given), 2)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    time.sleep(0.1)
    assert given == [0, 1, 2, 3, 4]
    items.close()


def test_closing_in_the_middle_ends_the_thread(threads) -> None:
    items = ahead(numbers([]), 2)
    next(items)
    assert threads() == 1
    items.close()
    assert threads() == 0


def test_a_feed_left_by_an_error_or_by_islice_ends_its_thread(threads) -> None:
    def feed() -> Feed:
        return Feed(ahead((Batch(torch.zeros(1), torch.zeros(1)) for _ in range(100)), 2))

    def stumble() -> None:
        with feed() as batches:
            next(batches)
            assert threads() == 1
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        stumble()
    assert threads() == 0
    assert len(list(islice(feed(), 5))) == 5
    assert threads() == 0


def test_an_error_in_the_thread_reaches_the_reader_with_its_traceback(threads) -> None:
    def broken_decoder() -> Iterator[int]:
        yield 1
        raise OSError("a page could not be read")

    items = ahead(broken_decoder(), 2)
    assert next(items) == 1
    with pytest.raises(OSError, match="a page could not be read") as raised:
        next(items)
    assert "broken_decoder" in "".join(traceback.format_exception(raised.value))
    assert threads() == 0
