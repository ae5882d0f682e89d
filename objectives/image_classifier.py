"""Train one image classifier, epoch by epoch."""

import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from objectives.contract import Attempt, EpochResult
from objectives.data.images import open_images
from objectives.models.classifier import Classifier, build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.training import checkpoint, precision
from objectives.training.batchnorm import reestimated
from objectives.training.feed import Feed, place, training_feed, validation_feed
from objectives.training.losses import build_criterion
from objectives.training.metrics import measure
from objectives.training.optimizers import build_optimizer, set_learning_rate
from objectives.training.samplers import steps_per_epoch
from objectives.training.schedule import learning_rate_at
from objectives.training.stopping import best_epoch, has_stalled

_LAGGING_STEPS = 200  # until then BatchNorm's running statistics trail behind the weights
_ESTIMATION_BATCHES = 10


def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield each epoch's result once its checkpoint is on disk; at the end, keep the best epoch.

    config: the fields of ImageRecipe. Raises RecipeError or DataError before the first epoch.
    Leaves `best.pt` and `best_logits.npz` in the attempt's folder when it comes to its end.
    """
    recipe = ImageRecipe.from_config(config)
    precision.settle(attempt.threads, deterministic=recipe.deterministic)
    autocast = precision.autocast(recipe.precision, attempt.device)
    splits = open_images(
        attempt.data, recipe.image_size, attempt.splits, attempt.cache, attempt.progress
    )
    images, validation = (place(splits[name], attempt.device) for name in ("train", "val"))
    torch.manual_seed(attempt.seed)
    model = build_classifier(recipe, len(images.classes)).to(attempt.device)
    model.to(memory_format=torch.channels_last)
    criterion = build_criterion(recipe, images.labels.bincount().to(attempt.device))
    optimizer = build_optimizer(recipe, model)
    steps = steps_per_epoch(len(images), recipe.batch_size)
    results, best = checkpoint.resume(attempt, model, optimizer)
    yield from results

    while len(results) < recipe.epochs and not has_stalled(_losses(results), recipe.patience):
        epoch, started = len(results) + 1, time.perf_counter()
        feed = training_feed(images, recipe, attempt, epoch)
        loss_sum = torch.zeros((), device=attempt.device)
        model.train()
        for step, (batch, labels) in enumerate(feed, start=(epoch - 1) * steps):
            set_learning_rate(optimizer, learning_rate_at(recipe, step, steps))
            with autocast:
                logits = model(batch)
            loss = criterion(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += loss.detach() * len(labels)
            attempt.progress()
        values = {
            "train_loss": loss_sum.item() / len(images),  # waits for the device
            "data_wait_s": feed.wait_seconds,
            "compute_s": time.perf_counter() - started - feed.wait_seconds,
        }

        first_batches = islice(training_feed(images, recipe, attempt, epoch), _ESTIMATION_BATCHES)
        is_lagging = epoch * steps < _LAGGING_STEPS
        with autocast, reestimated(model, first_batches) if is_lagging else nullcontext():
            logits = _predict(model, validation_feed(validation, recipe, attempt), attempt)
            values |= measure(logits, validation.labels)
            if best_epoch([*_losses(results), values["val_loss"]]) == epoch:
                best = checkpoint.take_best(epoch, model, logits, validation.labels)
        values["val_criterion"] = criterion(logits, validation.labels.to(attempt.device)).item()

        seconds = time.perf_counter() - started
        results.append(EpochResult(epoch, values, seconds, images=len(images)))
        checkpoint.save(attempt, model, optimizer, results, best)
        yield results[-1]
    if best is not None:
        best.keep(attempt)


@torch.no_grad()
def _predict(model: Classifier, feed: Feed, attempt: Attempt) -> Tensor:
    """Give the logits of all images of a feed, in its order."""
    model.eval()
    logits = []
    for batch, _ in feed:
        logits.append(model(batch))
        attempt.progress()
    return torch.cat(logits)


def _losses(results: list[EpochResult]) -> list[float]:
    return [result.metrics["val_loss"] for result in results]
