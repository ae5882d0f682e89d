"""The batches of an epoch, prepared on the device."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor

from objectives.contract import Attempt
from objectives.data.pixels.normalization import Normalization
from objectives.sets.batch import Batch
from objectives.sets.images import ImageSet
from objectives.training.feed.order import epoch_batches, epoch_generator
from objectives.training.feed.prefetch import fetch
from objectives.training.task import Task


class Feed:
    """The batches of one epoch in turn; `wait_seconds` counts the time spent waiting for them.

    A context manager: its end, or `close`, ends the thread that reads ahead, also in mid-epoch.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        self.wait_seconds = 0.0
        self._batches = batches

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> Batch:
        started = time.perf_counter()
        try:
            return next(self._batches)
        finally:
            self.wait_seconds += time.perf_counter() - started

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the epoch; no more batches come."""
        self._batches.close()


def training_feed(
    images: ImageSet,
    task: Task,
    attempt: Attempt,
    *,
    epoch: int,
    normalization: Normalization,
) -> Feed:
    """Draw an epoch's training batches, augmented; they depend on seed and epoch alone."""
    order = epoch_generator(attempt.seed, epoch, "order")
    draws = epoch_generator(attempt.seed, epoch, "augmentation")

    def batches() -> Sequence[Tensor]:
        labels = images.labels.cpu()
        recipe = task.recipe
        return epoch_batches(
            labels, recipe.batch_size, weighted=recipe.has_sampler, generator=order
        )

    def prepare(pixels: Tensor) -> Tensor:
        return task.augment(pixels, draws, normalization)

    return Feed(_prepared(images, batches, attempt.device, prepare))


def validation_feed(
    images: ImageSet,
    task: Task,
    attempt: Attempt,
    *,
    normalization: Normalization,
    batch: int = 256,
) -> Feed:
    """Yield all images in the order of the set, normalised and not augmented."""

    def batches() -> Sequence[Tensor]:
        return torch.split(torch.arange(len(images)), batch)

    def prepare(pixels: Tensor) -> Tensor:
        return task.normalize(pixels, normalization)

    return Feed(_prepared(images, batches, attempt.device, prepare))


def _prepared(
    images: ImageSet,
    batches: Callable[[], Sequence[Tensor]],
    device: str,
    prepare: Callable[[Tensor], Tensor],
) -> Generator[Batch, None, None]:
    """Yield the images of each batch of indices, their pixels changed by `prepare`."""
    with closing(fetch(images, batches(), device)) as fetched:
        for batch in fetched:
            yield replace(batch, pixels=prepare(batch.pixels))
