"""What a step is fed: batches of an epoch, ready on the device."""

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from objectives.contract import Attempt
from objectives.data.augment import augment, normalize
from objectives.data.images import ImageSet
from objectives.models.backbones import BACKBONES
from objectives.recipe.image import ImageRecipe
from objectives.training.samplers import epoch_batches, epoch_generator

Batch = tuple[Tensor, Tensor]  # images (B, 3, H, W) float32 and labels (B,), both on the device
_VALIDATION_BATCH = 256


class Feed:
    """The batches of one epoch in turn; `wait_seconds` is what their reader waited for them."""

    def __init__(self, batches: Iterator[Batch]) -> None:
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


def place(images: ImageSet, device: str) -> ImageSet:
    """Give the images on a GPU that has room for four times as many, else where they are."""
    if device == "cpu" or 4 * images.images.nbytes > torch.cuda.mem_get_info(device)[0]:
        return images
    return images.to(device)


def training_feed(images: ImageSet, recipe: ImageRecipe, attempt: Attempt, epoch: int) -> Feed:
    """Give an epoch's training batches; the trial's seed and the epoch decide all of them."""
    return Feed(_training_batches(images, recipe, attempt, epoch))


def validation_feed(images: ImageSet, recipe: ImageRecipe, attempt: Attempt) -> Feed:
    """Give the validation images in their own order, untouched but for normalisation."""
    return Feed(_validation_batches(images, recipe, attempt))


def _training_batches(
    images: ImageSet, recipe: ImageRecipe, attempt: Attempt, epoch: int
) -> Iterator[Batch]:
    backbone = BACKBONES[recipe.backbone]
    order = epoch_generator(attempt.seed, epoch, "order")
    draws = epoch_generator(attempt.seed, epoch, "augmentation", attempt.device)
    for indices in epoch_batches(
        images.labels.cpu(), recipe.batch_size, weighted=recipe.has_sampler, generator=order
    ):
        batch = images.batch(indices.to(images.labels.device))
        pixels, labels = _on_device(batch, attempt.device)
        yield augment(pixels, draws, recipe.augmentation, backbone.mean, backbone.std), labels


def _validation_batches(images: ImageSet, recipe: ImageRecipe, attempt: Attempt) -> Iterator[Batch]:
    backbone = BACKBONES[recipe.backbone]
    for start in range(0, len(images), _VALIDATION_BATCH):
        pixels = images.images[start : start + _VALIDATION_BATCH]
        labels = images.labels[start : start + _VALIDATION_BATCH]
        pixels, labels = _on_device((pixels, labels), attempt.device)
        yield normalize(pixels, backbone.mean, backbone.std), labels


def _on_device(batch: Batch, device: str) -> Batch:
    images, labels = batch
    return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
